/** The cipher in which each letter stands for the one thirteen places on. It is its own inverse. */
export const rotated = (text: string): string =>
  text.replace(/[a-z]/gi, (letter) => {
    const code = letter.charCodeAt(0);
    const first = code >= 97 ? 97 : 65;
    return String.fromCharCode(((code - first + 13) % 26) + first);
  });
