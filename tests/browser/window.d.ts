import type { Hook } from "../../game-sample/page/hook.js";

declare global {
  interface Window {
    driftlight: Hook;
  }
}
