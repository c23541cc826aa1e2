// @ts-check
/**
 * What the game sounds like: made here, from oscillators and noise, without a file.
 *
 * Responsible for: the engine, single sounds, on and off, remembering which. Not responsible for: when something happens (`main.js`).
 *
 * Invariants:
 * - I1: sound is off until the pilot turns it on, and nothing of the browser's audio is touched before.
 * - I2: at most `VOICES_MAX` single sounds are heard at once; more are left out.
 */

const KEPT_AS = "driftlight.sound";
/** A crowd that mines and talks is no wall of noise. */
const VOICES_MAX = 10;
const VOLUME = 0.5;
/** What changes slides there within about this time, seconds: steps click. */
const SLIDE = 0.12;
/** Semitones above the lowest note that go well together: a colour picks one. */
const SCALE = [0, 3, 5, 7, 10, 12, 15];
const LOWEST_HZ = 330;

/** @typedef {{context: AudioContext, out: GainNode, meter: AnalyserNode, noise: AudioBuffer, hum: GainNode, humTone: BiquadFilterNode, drone: OscillatorNode}} Studio */

export class Sound {
  constructor() {
    /** @type {Studio | undefined} */
    this.studio = undefined;
    this.on = false;
    this.voices = 0;
  }

  /** The pilot begins to fly, by a click: sound that was on before is on again. */
  begin() {
    if (!this.on && localStorage.getItem(KEPT_AS) === "on") this.toggle();
  }

  /** Turns it on or off. @returns {boolean} whether it is on now */
  toggle() {
    this.on = !this.on;
    localStorage.setItem(KEPT_AS, this.on ? "on" : "off");
    if (this.on) {
      this.studio ??= build();
      void this.studio.context.resume();
    } else void this.studio?.context.suspend();
    return this.on;
  }

  /** How loud it is just now, 0 to 1. */
  get level() {
    if (!this.on || this.studio === undefined) return 0;
    const wave = new Float32Array(this.studio.meter.fftSize);
    this.studio.meter.getFloatTimeDomainData(wave);
    return Math.max(...wave.map(Math.abs));
  }

  /**
   * The engine of the own ship, once a frame.
   * @param {import("./input.js").Controls} controls
   * @param {number} speed units per second
   */
  engine(controls, speed) {
    if (!this.on || this.studio === undefined) return;
    const { context, hum, humTone, drone } = this.studio;
    const push = Math.abs(controls.thrust) * (controls.boost ? 1 : 0.55);
    slide(hum.gain, 0.02 + 0.2 * push, context);
    slide(humTone.frequency, 120 + 420 * push + speed * 0.8, context);
    slide(drone.frequency, 46 + speed * 0.07 + 10 * push, context);
  }

  /** A crystal was mined. @param {number} hue */
  mined(hue) {
    const note = pitch(hue);
    this.#bell(note, 0.16, 0);
    this.#bell(note * 1.5, 0.1, 0.09);
    this.#bell(note * 2, 0.07, 0.18);
  }

  /** Somebody said something. @param {number} hue */
  said(hue) {
    this.#bell(pitch(hue) * 2, 0.05, 0);
  }

  /** An offer came, or a trade is over. */
  traded() {
    this.#bell(LOWEST_HZ * 2, 0.12, 0);
    this.#bell(LOWEST_HZ * 2.67, 0.12, 0.12);
  }

  /** The ship passes a gate. */
  passed() {
    const voice = this.#voice(1.4);
    if (voice === undefined) return;
    const { context, noise } = voice.studio;
    const source = new AudioBufferSourceNode(context, { buffer: noise, loop: true });
    const band = new BiquadFilterNode(context, { type: "bandpass", Q: 1.6, frequency: 240 });
    band.frequency.exponentialRampToValueAtTime(2_600, voice.at + 0.45);
    band.frequency.exponentialRampToValueAtTime(180, voice.at + 1.3);
    swell(voice.gain.gain, 0.4, voice.at, 0.35, 1.3);
    source.connect(band).connect(voice.gain);
    source.start(voice.at);
    source.stop(voice.at + 1.4);
  }

  /**
   * A struck bell: a tone and a quieter one beside it.
   * @param {number} hertz
   * @param {number} volume
   * @param {number} after seconds
   */
  #bell(hertz, volume, after) {
    const voice = this.#voice(after + 1.2);
    if (voice === undefined) return;
    const { context } = voice.studio;
    const at = voice.at + after;
    swell(voice.gain.gain, volume, at, 0.008, 1.1);
    for (const [times, share] of /** @type {const} */ ([[1, 1], [2.76, 0.25]])) {
      const tone = new OscillatorNode(context, { frequency: hertz * times });
      tone.connect(new GainNode(context, { gain: share })).connect(voice.gain);
      tone.start(at);
      tone.stop(at + 1.2);
    }
  }

  /**
   * Room for one sound; `undefined`: sound is off, or too much is heard already.
   * @param {number} seconds
   */
  #voice(seconds) {
    if (!this.on || this.studio === undefined || this.voices >= VOICES_MAX) return undefined;
    const { studio } = this;
    const gain = new GainNode(studio.context, { gain: 0 });
    gain.connect(studio.out);
    this.voices += 1;
    setTimeout(() => {
      gain.disconnect();
      this.voices -= 1;
    }, seconds * 1_000 + 100);
    return { studio, gain, at: studio.context.currentTime };
  }
}

/** Opens the browser's audio, with an engine that idles. @returns {Studio} */
function build() {
  const context = new AudioContext();
  const out = new GainNode(context, { gain: VOLUME });
  const meter = new AnalyserNode(context, { fftSize: 1_024 });
  const limiter = new DynamicsCompressorNode(context, { threshold: -18, ratio: 8 });
  out.connect(limiter).connect(meter).connect(context.destination);
  const noise = brown(context);
  const hum = new GainNode(context, { gain: 0 });
  const humTone = new BiquadFilterNode(context, { type: "lowpass", frequency: 140 });
  const source = new AudioBufferSourceNode(context, { buffer: noise, loop: true });
  const drone = new OscillatorNode(context, { type: "triangle", frequency: 46 });
  source.connect(humTone).connect(hum);
  drone.connect(new GainNode(context, { gain: 0.35 })).connect(hum);
  hum.connect(out);
  source.start();
  drone.start();
  return { context, out, meter, noise, hum, humTone, drone };
}

/** Two seconds of a deep rush. @param {AudioContext} context */
function brown(context) {
  const buffer = new AudioBuffer({ length: context.sampleRate * 2, sampleRate: context.sampleRate });
  const wave = buffer.getChannelData(0);
  let level = 0;
  for (let at = 0; at < wave.length; at += 1) {
    level = (level + (Math.random() * 2 - 1) * 0.02) / 1.02;
    // Its ends meet, so that the loop does not click.
    wave[at] = level * 3.5 * Math.min(1, at / 2_000, (wave.length - at) / 2_000);
  }
  return buffer;
}

/**
 * @param {AudioParam} param
 * @param {number} to
 * @param {AudioContext} context
 */
function slide(param, to, context) {
  param.setTargetAtTime(to, context.currentTime, SLIDE);
}

/**
 * Up within some seconds, then down to nothing.
 * @param {AudioParam} param
 * @param {number} most
 * @param {number} at
 * @param {number} up
 * @param {number} down
 */
function swell(param, most, at, up, down) {
  param.setValueAtTime(0, at);
  param.linearRampToValueAtTime(most, at + up);
  param.setTargetAtTime(0, at + up, (down - up) / 4);
}

/** @param {number} hue degrees */
function pitch(hue) {
  const step = SCALE[Math.floor((((hue % 360) + 360) % 360) / 360 * SCALE.length)] ?? 0;
  return LOWEST_HZ * 2 ** (step / 12);
}
