// @ts-check
/**
 * The stream from the server.
 *
 * Responsible for: one stream for what the shown page looks at, saying when it is lost; it comes back by itself. Not responsible for: what
 * messages mean.
 */

export class Live {
  /**
   * @param {(topic: string, message: any) => void} show
   * @param {(isThere: boolean, why: string) => void} state
   */
  constructor(show, state) {
    this.show = show;
    this.state = state;
    this.query = "";
    /** @type {EventSource | undefined} */
    this.source = undefined;
  }

  /**
   * Looks at these topics from now on.
   * @param {string[]} topics
   * @param {Record<string, string>} [more] what the stream is asked besides
   */
  look(topics, more = {}) {
    const query = new URLSearchParams({ topics: topics.join(","), ...more }).toString();
    if (query === this.query) return;
    this.query = query;
    this.source?.close();
    const source = new EventSource(`live?${query}`);
    this.source = source;
    source.addEventListener("open", () => this.state(true, ""));
    source.addEventListener("error", () => {
      this.state(false, "no connection to the server");
      // Refused, not lost: a browser gives up then, and we do not.
      if (source.readyState === EventSource.CLOSED && source === this.source) {
        void this.#refused();
        this.query = "";
        setTimeout(() => source === this.source && this.look(topics, more), 2000);
      }
    });
    for (const topic of topics) {
      source.addEventListener(topic, (event) => {
        if (source === this.source) this.show(topic, JSON.parse(event.data));
      });
    }
  }

  /** A stream does not say why it was refused. */
  async #refused() {
    const answer = await fetch("status.json").catch(() => undefined);
    if (answer?.status === 401) this.state(false, "this page has another server's token: open the address that the server printed");
  }
}
