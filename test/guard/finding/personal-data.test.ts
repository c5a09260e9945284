import fc from "fast-check";
import { type CountryCode, getExampleNumber } from "libphonenumber-js/min";
import examples from "libphonenumber-js/mobile/examples";
import { describe, expect, test } from "vitest";
import {
  findPersonalData,
  type PersonalDataKind,
  personalDataKinds,
} from "../../../src/guard/finding/personal-data.ts";

const found = (text: string, from = 0): string[] =>
  findPersonalData(personalDataKinds).flatMap((finder) =>
    finder
      .find(text, from)
      .map(({ start, end, matcher }) => `${matcher.slice("personal:".length)} ${text.slice(start, end)}`),
  );

/** Numbers that their issuers give as examples, or that nobody has. */
const samples: [PersonalDataKind, string][] = [
  ["email", "jane.doe+x@mail.example.co.uk"],
  ["phone", "+44 20 7946 0958"],
  ["phone", "+1 (415) 555-2671"],
  ["credit-card", "4111 1111 1111 1111"],
  ["credit-card", "378282246310005"],
  ["credit-card", "5555-5555-5555-4444"],
  ["credit-card", "3782 822463 10005"],
  ["iban", "DE89 3704 0044 0532 0130 00"],
  ["iban", "GB82WEST12345698765432"],
  ["us-ssn", "123-45-6789"],
  ["uk-nino", "AB 12 34 56 C"],
  ["uk-nhs", "943 476 5919"],
  ["de-tax-id", "86 095 742 719"],
  ["fr-nir", "2 55 08 14 168 025 38"],
  ["nl-bsn", "111222333"],
  ["es-dni", "12345678Z"],
  ["es-dni", "X1234567L"],
  ["it-codice-fiscale", "RSSMRA85T10A562S"],
  ["pl-pesel", "44051401359"],
  ["in-aadhaar", "2341 2341 2346"],
  ["br-cpf", "529.982.247-25"],
  ["mac-address", "00:1A:2B:3C:4D:5E"],
  ["ipv4", "8.8.8.8"],
  ["ipv6", "2001:4860:4860::8888"],
  ["ipv6", "2a00:1450:4001:082f:0000:0000:0000:200e"],
  ["ipv6", "2606:4700:4700:0:0:0:0:1111"],
];

test("there is a sample of every kind", () => {
  expect(new Set(samples.map(([kind]) => kind))).toEqual(new Set(personalDataKinds));
});

describe("is found whole within other text", () => {
  test.each(samples)("%s %s", (kind, sample) => {
    expect(found(`It is ${sample}, isn't it?`)).toContain(`${kind} ${sample}`);
    expect(found(`${sample} ${sample}`).filter((one) => one === `${kind} ${sample}`)).toHaveLength(2);
  });
});

describe("a near miss is not", () => {
  test.each([
    ["a card with a wrong digit", "4111 1111 1111 1112"],
    ["a number of no card", "1234 5678 9012 3456"],
    ["an IBAN with a wrong digit", "DE89 3704 0044 0532 0130 01"],
    ["an IBAN of another length", "DE89 3704 0044 0532 0130"],
    ["a social security number that is never given out", "000-12-3456 666-12-3456 900-12-3456 123-00-4567"],
    ["an NHS number with a wrong digit", "943 476 5918"],
    ["a tax id with a wrong digit", "86 095 742 718"],
    ["a NIR with a wrong key", "2 55 08 14 168 025 39"],
    ["a BSN with a wrong digit", "111222334"],
    ["a DNI with a wrong letter", "12345678A"],
    ["a codice fiscale with a wrong letter", "RSSMRA85T10A562T"],
    ["a PESEL of no date", "44951401359"],
    ["an Aadhaar with a wrong digit", "2341 2341 2347"],
    ["a CPF with a wrong digit", "529.982.247-26"],
    ["addresses of nobody", "127.0.0.1 10.1.2.3 192.168.0.1 172.16.9.9 203.0.113.7 0.0.0.0 255.255.255.255"],
    ["longer addresses of nobody", "::1 fe80::1 fd12:3456::1 ff02::1 2001:db8::1 2001:0DB8:0:1::2 3fff:1::1"],
    ["networks", "2001::/32 2a00:1450::/32"],
    [
      "what has colons",
      "std::vector 2024:10:11 2abc::def::1 10:45:00:12 abcd:ef01:2345 2001:1:2:3:4:5:6:7:8 2001:12345::1",
    ],
    ["a version", "1.2.3.4.5 and 999.1.1.1"],
    ["prose", "It cost 12.50 in 2024, see page 17 and room 4711."],
    ["an at sign", "meet @ noon, or @jane"],
    ["a time", "10:45:00 on 2026-11-23"],
    ["a phone number of no country", "+999 1234 5678"],
    ["times in seconds", "1790000000 1790000011 1790000022 1790000033 1790000044 1790000055 1790000066 1790000077"],
    ["numbers of twelve digits", "234123412346 999999990019"],
  ])("%s", (_name, text) => {
    expect(found(text)).toEqual([]);
  });
});

test("a telephone number of every country is found, however it is written", () => {
  const countries = Object.keys(examples) as CountryCode[];
  expect(countries.length).toBeGreaterThan(200);
  for (const country of countries) {
    const example = getExampleNumber(country, examples);
    if (example === undefined) throw new Error(`no example of ${country}`);
    for (const written of [example.formatInternational(), example.number, example.format("RFC3966").slice(4)])
      expect(found(`call ${written}, please`)).toContain(`phone ${written}`);
  }
});

describe("a telephone number", () => {
  test.each([
    ["with the zero that is dialled within the country", "+44 (0)20 7946 0958"],
    ["with dots", "+49.30.901820"],
    ["with an extension", "+1 (415) 555-2671 ext. 123"],
    ["with spaces that don't break", "+33\u00a06\u00a012\u00a034\u00a056\u00a078"],
  ])("%s is found whole", (_name, written) => {
    expect(found(`It is ${written}, I think`)).toEqual([`phone ${written}`]);
  });

  test("ends where what follows is none of it", () => {
    expect(found("call +44 20 7946 0958 12 times")).toEqual(["phone +44 20 7946 0958"]);
  });

  test.each([
    "+1 2 3 4 5 6 7 8 9 0 1 2",
    "1+1+1+1+1",
    "+12",
    "a gain of +1500 points",
    "+10 +20 +30 +40",
    "x^2+415555",
  ])("is not: %s", (text) => {
    expect(found(text)).toEqual([]);
  });

  test("is found behind any number of others", () => {
    const numbers = Array.from({ length: 3_000 }, (_, index) => `+44 20 7946 ${String(1_000 + index).slice(-4)}`);
    expect(found(numbers.join(", "))).toHaveLength(3_000);
    expect(found(`${"+1 is one, ".repeat(3_000)}+44 20 7946 0958`)).toEqual(["phone +44 20 7946 0958"]);
  });
});

test("what only has the form does not hide what is meant behind it", () => {
  expect(found("12 4111 1111 1111 1111 22")).toContain("credit-card 4111 1111 1111 1111");
  expect(found("ref 1234 DE89 3704 0044 0532 0130 00 17")).toContain("iban DE89 3704 0044 0532 0130 00");
});

test("is found whatever stands around it, and not before the place where the search begins", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...samples),
      fc.string({ maxLength: 40 }),
      fc.string({ maxLength: 40 }),
      ([kind, sample], before, after) => {
        const text = `${before}\n${sample}\n${after}`;
        expect(found(text)).toContain(`${kind} ${sample}`);
        expect(found(text, before.length + 2).includes(`${kind} ${sample}`) && !after.includes(sample)).toBe(false);
      },
    ),
    { numRuns: 1_000, seed: 5 },
  );
});

test("hostile texts take time in proportion to their length", () => {
  const finders = findPersonalData(personalDataKinds);
  const cost = (text: string): number => {
    const from = performance.now();
    for (const finder of finders) finder.find(text, 0);
    return performance.now() - from;
  };
  for (const piece of ["1 ", "1-", "DE89 ", "123-45-", "1.1.1.", "+1(", "+1 2 ", "+1", "+49301234 ", "a@b.", "4111 "]) {
    const text = piece.repeat(4_000);
    const longer = text.repeat(8);
    cost(text);
    // Eight times as long; quadratic work would take 64 times as long, in every attempt. The machine may be busy in one.
    const inProportion = (): boolean => cost(longer) < 30 * Math.max(cost(text), 2);
    expect([piece, inProportion() || inProportion() || inProportion()]).toEqual([piece, true]);
  }
});
