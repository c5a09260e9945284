/**
 * Letters of other scripts that look like Latin ones. Those that are drawn alike in common fonts, small and capital, of
 * the scripts in which whole words can be disguised; after the idea of Unicode Technical Standard 39, and not its table.
 */
const pairs =
  // Cyrillic.
  "аa бb вb еe ёe ђh ѓr зz иu йu іi їi јj кk ќk мm нh оo пn рp сc тt уy ўy фo хx ѕs ԁd ԛq ԝw ѡw һh ьb ѵv ѐe ѝu ӏl ҫc ҽe ӕe ԍg " +
  "АA ВB ЕE ЁE ЅS ІI ЇI ЈJ КK МM НH ОO РP СC ТT УY ХX Ԛ" +
  "Q ԜW ҺH ѴV ӀI ԌG " +
  // Greek.
  "αa βb γy δd εe ζz ηn θo ιi κk λl μu νv ξe οo πn ρp ςs σo τt υu φo χx ψw ωw ϲc ϳj ϱp ϐb ϵe ϊi ϋu ΐi ΰu " +
  "ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX ϹC ͿJ " +
  // Armenian, Cherokee, and letters of the Latin script itself.
  "աw ցg հh յj ոn սu օo ԼL ՍU ՕO ՏS " +
  "ᎪA ᏴB ᏟC ᎠD ᎬE ᎻH ᎫJ ᏦK ᏞL ᎷM ᏢP ᏒR ᏚS ᎢT ᏙV ᎳW ᏃZ " +
  "ıi ȷj ɑa ɡg ɩi ʟl ɴn ʀr ꜱs ᴀa ʙb ᴄc ᴅd ᴇe ꜰf ɢg ʜh ɪi ᴊj ᴋk ᴍm ᴏo ᴘp ᴛt ᴜu ᴠv ᴡw ʏy ᴢz ŀl łl øo đd ħh ŧt ƀb ɓb ɗd ƙk ƴy ǀl ɐa ɔc ǝe əe ɯm ɹr ʇt ʌv ʍw ʎy";

export const confusables: ReadonlyMap<string, string> = new Map(
  pairs.split(" ").flatMap((pair): [string, string][] => {
    const [letter, latin] = [...pair];
    return letter === undefined || latin === undefined ? [] : [[letter, latin]];
  }),
);
