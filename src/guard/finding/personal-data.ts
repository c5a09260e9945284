/**
 * Finds data of persons that have a form of their own: addresses of mail and machines, numbers with a checksum. Names,
 * street addresses and dates of birth have none and are not looked for.
 */
import { isIPv6 } from "node:net";
import { type Finder, findPattern } from "./finder.ts";
import { findPhoneNumbers } from "./phone-numbers.ts";

const digitsOf = (text: string): number[] => [...text.replace(/\D/g, "")].map(Number);
const weighed = (digits: readonly number[], weights: readonly number[]): number =>
  weights.reduce((sum, weight, index) => sum + weight * (digits[index] ?? 0), 0);

/** ISO/IEC 7812-1. */
const passesLuhn = (text: string): boolean => {
  const sum = digitsOf(text)
    .toReversed()
    .reduce((total, digit, index) => {
      const doubled = index % 2 === 0 ? digit : digit * 2;
      return total + (doubled > 9 ? doubled - 9 : doubled);
    }, 0);
  return sum % 10 === 0;
};

/** Lengths by country: SWIFT's registry of IBANs. */
const ibanLengths = new Map(
  "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
    .split(" ")
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))] as const),
);

/** ISO 13616: the number that it spells leaves 1 when divided by 97. */
const isIban = (text: string): boolean => {
  const iban = text.replaceAll(" ", "").toUpperCase();
  if (ibanLengths.get(iban.slice(0, 2)) !== iban.length) return false;
  let rest = 0;
  for (const letter of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(letter, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
};

/** First digits and lengths in use. */
const card =
  /^(?:4\d{12}(?:\d{3}(?:\d{3})?)?|5[1-5]\d{14}|2(?:2[2-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|6(?:011|5\d\d|4[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17})$/;
const isCard = (text: string): boolean => card.test(text.replace(/\D/g, "")) && passesLuhn(text);

/** Areas 000, 666 and from 900 on, group 00 and number 0000 are never given out. */
const isSocialSecurityNumber = (text: string): boolean => {
  const [area = "", group = "", serial = ""] = text.split(/\D/);
  return area !== "000" && area !== "666" && area < "900" && group !== "00" && serial !== "0000";
};

const isNationalInsuranceNumber = (text: string): boolean => {
  const prefix = text.slice(0, 2).toUpperCase();
  return !/^(?:BG|GB|NK|KN|TN|NT|ZZ)|^[DFIQUV]|^.[DFIQUVO]/.test(prefix);
};

const isNhsNumber = (text: string): boolean => {
  const digits = digitsOf(text);
  const check = (11 - (weighed(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11;
  return check !== 10 && check === digits[9] && new Set(digits).size > 1;
};

/** ISO/IEC 7064, MOD 11,10; one digit occurs twice or three times among the first ten, the others at most once. */
const isGermanTaxId = (text: string): boolean => {
  const digits = digitsOf(text);
  const counts = Map.groupBy(digits.slice(0, 10), (digit) => digit);
  const repeated = [...counts.values()].map(({ length }) => length).filter((length) => length > 1);
  if (digits[0] === 0 || repeated.length !== 1 || (repeated[0] ?? 0) > 3) return false;
  let product = 10;
  for (const digit of digits.slice(0, 10)) {
    const sum = (digit + product) % 10 || 10;
    product = (sum * 2) % 11;
  }
  return (11 - product) % 10 === digits[10];
};

/** The last two digits are 97 less the rest of the others by 97; Corsica's letters count as 19 and 18. */
const isFrenchSocialSecurityNumber = (text: string): boolean => {
  const plain = text.replaceAll(" ", "").toUpperCase();
  const number = BigInt(plain.slice(0, 13).replace("2A", "19").replace("2B", "18").replace(/\D/g, "0"));
  return 97 - Number(number % 97n) === Number(plain.slice(13));
};

const isDutchCitizenNumber = (text: string): boolean => {
  const digits = digitsOf(text);
  return new Set(digits).size > 1 && weighed(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0;
};

const isSpanishId = (text: string): boolean => {
  const plain = text.replace(/[-\s]/g, "").toUpperCase();
  const number = Number(plain.slice(0, -1).replace(/^[XYZ]/, (letter) => String("XYZ".indexOf(letter))));
  return plain.endsWith("TRWAGMYFPDXBNJZSQVHLCKE".charAt(number % 23));
};

const oddPlaces = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
const isItalianTaxCode = (text: string): boolean => {
  const code = text.toUpperCase();
  const sum = [...code.slice(0, 15)].reduce((total, letter, index) => {
    const value = /\d/.test(letter) ? Number(letter) : letter.charCodeAt(0) - 65;
    return total + (index % 2 === 0 ? (oddPlaces[value] ?? 0) : value);
  }, 0);
  return code.charCodeAt(15) - 65 === sum % 26;
};

const isPesel = (text: string): boolean => {
  const digits = digitsOf(text);
  const [, , month = 0, tens = 0, day = 0, ones = 0] = digits;
  const isDate =
    (10 * month + tens) % 20 >= 1 && (10 * month + tens) % 20 <= 12 && 10 * day + ones >= 1 && 10 * day + ones <= 31;
  return isDate && (10 - (weighed(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10 === digits[10];
};

/** Verhoeff's scheme: the dihedral group of ten elements, and powers of one permutation. */
const dihedral = (one: number, two: number): number => {
  if (one < 5) return two < 5 ? (one + two) % 5 : 5 + ((one + two) % 5);
  return two < 5 ? 5 + ((((one - two) % 5) + 5) % 5) : (((one - two) % 5) + 5) % 5;
};
const permutation = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
const isAadhaar = (text: string): boolean => {
  let check = 0;
  for (const [index, digit] of digitsOf(text).toReversed().entries()) {
    let value = digit;
    for (let power = 0; power < index % 8; power += 1) value = permutation[value] ?? 0;
    check = dihedral(check, value);
  }
  return check === 0;
};

const isCpf = (text: string): boolean => {
  const digits = digitsOf(text);
  if (new Set(digits).size === 1) return false;
  const check = (length: number): number => {
    const weights = Array.from({ length }, (_, index) => length + 1 - index);
    return ((weighed(digits, weights) * 10) % 11) % 10;
  };
  return check(9) === digits[9] && check(10) === digits[10];
};

/** Private, local and documentation addresses name nobody. */
const isPublicIpv4 = (text: string, before: string, next: string): boolean => {
  // More numbers with dots are a version.
  if (/\d\.$/.test(before) || /^\.\d/.test(next)) return false;
  const [a = 0, b = 0, c = 0] = text.split(".").map(Number);
  const local = a === 0 || a === 10 || a === 127 || a >= 224 || (a === 100 && b >= 64 && b < 128);
  const reserved = (a === 169 && b === 254) || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168);
  const documentation =
    (a === 192 && b === 0 && (c === 0 || c === 2)) ||
    (a === 198 && (b === 18 || b === 19 || (b === 51 && c === 100))) ||
    (a === 203 && b === 0 && c === 113);
  return !local && !reserved && !documentation;
};

/** Of the addresses that are given out; those for documentation name nobody. */
const isPublicIpv6 = (text: string, before: string, next: string): boolean => {
  if (before.endsWith(":") || next.startsWith(":") || !isIPv6(text)) return false;
  const [first = "", second = "0"] = text.toLowerCase().split(":");
  return (
    !(first === "2001" && Number.parseInt(second || "0", 16) === 0xdb8) && !(first === "3fff" && second.length < 4)
  );
};

type IsMeant = (found: string, before: string, next: string) => boolean;

const octet = "(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])";

const forms = {
  // As cards are printed and typed: in one, in groups of four, or as American Express has it.
  "credit-card": [
    String.raw`\b(?:[0-9]{13,19}|[0-9]{4}(?:[ -][0-9]{4}){3}(?:[ -][0-9]{1,3})?|[0-9]{4}[ -][0-9]{6}[ -][0-9]{4,5})\b`,
    isCard,
  ],
  iban: [String.raw`\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}\b`, isIban],
  "us-ssn": [String.raw`\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b`, isSocialSecurityNumber],
  "uk-nino": [String.raw`\b[A-Za-z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-Da-d]\b`, isNationalInsuranceNumber],
  // In groups: of bare numbers of that length, times among them, every eleventh passes the check.
  "uk-nhs": [String.raw`\b[0-9]{3}[ -][0-9]{3}[ -][0-9]{4}\b`, isNhsNumber],
  "de-tax-id": [String.raw`\b[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}\b`, isGermanTaxId],
  "fr-nir": [
    String.raw`\b[12] ?[0-9]{2} ?[0-9]{2} ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}\b`,
    isFrenchSocialSecurityNumber,
  ],
  "nl-bsn": [String.raw`\b[0-9]{9}\b`, isDutchCitizenNumber],
  "es-dni": [String.raw`\b[XYZ0-9][0-9]{7}-?[A-Z]\b`, isSpanishId],
  "it-codice-fiscale": [
    String.raw`\b[A-Za-z]{6}[0-9]{2}[A-EHLMPRSTa-ehlmprst][0-9]{2}[A-Za-z][0-9]{3}[A-Za-z]\b`,
    isItalianTaxCode,
  ],
  "pl-pesel": [String.raw`\b[0-9]{11}\b`, isPesel],
  "in-aadhaar": [String.raw`\b[2-9][0-9]{3}[ -][0-9]{4}[ -][0-9]{4}\b`, isAadhaar],
  "br-cpf": [String.raw`\b[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}\b`, isCpf],
  "mac-address": [String.raw`\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b`],
  ipv4: [String.raw`\b${octet}(?:\.${octet}){3}\b`, isPublicIpv4],
  // Only what begins as addresses in use do: a time, a name in C++ or a hardware address does not.
  ipv6: [String.raw`\b[23][0-9A-Fa-f]{3}(?::[0-9A-Fa-f]{0,4}){2,7}\b`, isPublicIpv6],
} satisfies Record<string, [form: string, isMeant?: IsMeant]>;

type Form = keyof typeof forms;
export type PersonalDataKind = Form | "email" | "phone";
const isForm = (kind: string): kind is Form => kind in forms;
export const personalDataKinds: [PersonalDataKind, ...PersonalDataKind[]] = [
  "email",
  "phone",
  ...Object.keys(forms).filter(isForm),
];

const byForm = (kind: Form): Finder => {
  const [form, isMeant = () => true]: readonly [string, IsMeant?] = forms[kind];
  // Numbers in groups, of no fixed length: what follows may be taken for another group.
  return findPattern(form, {
    matcher: `personal:${kind}`,
    isMeant,
    mayTrail: kind === "credit-card" || kind === "iban",
  });
};

/** The end of a text, as long as it may be the beginning of an address. */
const openAddress = /(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}(?:@[A-Za-z0-9.-]{0,230})?$/g;
const email: Finder = {
  ...findPattern(String.raw`\b[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,40}\.){1,5}[A-Za-z]{2,24}\b`, {
    matcher: "personal:email",
  }),
  opening: openAddress,
};

export const findPersonalData = (kinds: readonly PersonalDataKind[]): Finder[] =>
  kinds.map((kind) => {
    if (kind === "email") return email;
    return kind === "phone" ? findPhoneNumbers() : byForm(kind);
  });
