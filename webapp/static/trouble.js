// @ts-check
/** What went wrong, in a way that the person can be told. */
export class Trouble extends Error {
  /**
   * @param {string} code Ours (strings.js) or the server's.
   * @param {string} [said] The server's own words for the person.
   * @param {number} [status] Of HTTP; 0: it never came to that.
   */
  constructor(code, said, status = 0) {
    super(said || code);
    this.code = code;
    this.said = said;
    this.status = status;
  }
}
