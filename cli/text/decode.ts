/** @module Text of files that people write: editors and shells of Windows begin them with a byte order mark, and some write UTF-16. */

/** The text without its byte order mark. UTF-16 is recognised by its mark; everything else is UTF-8. */
export function decodeText(bytes: Uint8Array): string {
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  return new TextDecoder(isUtf16 ? "utf-16le" : "utf-8").decode(bytes);
}
