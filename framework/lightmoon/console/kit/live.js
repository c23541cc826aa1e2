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
   * @param {(isThere: boolean) => void} state
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
    source.addEventListener("open", () => this.state(true));
    source.addEventListener("error", () => {
      this.state(false);
      // Refused, not lost: a browser gives up then, and we do not.
      if (source.readyState === EventSource.CLOSED && source === this.source) {
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
}
