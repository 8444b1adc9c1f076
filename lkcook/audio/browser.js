/* The browser's microphone and speaker for a kernel that has neither. Plain script, no import and no export: it is
 * put in front of a widget's own script. Every message has a key `sound`, so one widget can carry others too.
 *
 * From Python                                       To Python
 *   ask   {call}                                      here     {call, page, origin, secure}
 *   open  {call, page, side, buffer, suppress, port,  opened   {call, side, transport, rate, latency}
 *          token, transports}                         failed   {call, side, error, message}
 *   close {call, page, side}                          closed   {call, side, underruns}
 *   play  [samples], end, flush                       microphone [frame]
 *                                                     blocked, resumed {call}; lost {call, message}
 *                                                     report   {call, underruns, lowest, latency}  every second
 * side: "microphone" or "speaker". suppress: the browser's own noise suppression is wanted. Sound is 24 kHz mono
 * int16, little-endian. A frame of the microphone is 20 ms: float64 Date.now() at its last sample, uint32 number of the
 * frame, 480 samples. play, end, flush and microphone take the transport: a WebSocket (bare samples and frames; JSON
 * for end and flush) or the widget's messages.
 */
const SOUND_RATE = 24000;
const SOUND_PATIENCE = 2000; // ms for each attempt to reach the kernel's socket
const SOUND_UNSENT = 96000; // bytes, two seconds: a socket that is further behind drops frames, which Python counts

const SOUND_WORKLETS = `
class Resampler { // windowed sinc; what the browser did not do itself when it refused our rate
  constructor(from, to) {
    this.step = from / to;
    const cut = 0.94 * Math.min(1, to / from);
    this.half = Math.ceil(12 / cut);
    this.kernel = Float32Array.from({length: this.half * 256 + 2}, (_, i) => {
      const x = i / 256, w = Math.cos(Math.PI * Math.min(x / this.half, 1) / 2) ** 2;
      return w * (x ? Math.sin(Math.PI * cut * x) / (Math.PI * x) : cut);
    });
    this.reset();
  }
  reset() { this.kept = new Float32Array(this.half); this.at = this.half; }
  push(input) {
    if (this.step === 1) return Float32Array.from(input);
    const all = new Float32Array(this.kept.length + input.length), out = [];
    all.set(this.kept); all.set(input, this.kept.length);
    for (; this.at + this.half < all.length; this.at += this.step) {
      let sum = 0;
      for (let i = Math.ceil(this.at - this.half); i < this.at + this.half; i++)
        sum += all[i] * this.kernel[Math.round(Math.abs(i - this.at) * 256)];
      out.push(sum);
    }
    const done = Math.floor(this.at - this.half);
    this.kept = all.slice(done); this.at -= done;
    return Float32Array.from(out);
  }
  rest() { return this.step === 1 ? new Float32Array(0) : this.push(new Float32Array(this.half)); }
}

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate, ${SOUND_RATE});
    this.number = 0; this.begin();
  }
  begin() { this.frame = new ArrayBuffer(12 + 960); this.samples = new Int16Array(this.frame, 12); this.filled = 0; }
  process([[input]]) {
    if (!input) return true;
    for (const value of this.resampler.push(input)) {
      this.samples[this.filled++] = Math.round(Math.max(-1, Math.min(1, value)) * 32767);
      if (this.filled === 480) this.deliver();
    }
    return true;
  }
  deliver() {
    const header = new DataView(this.frame);
    header.setFloat64(0, Date.now(), true); header.setUint32(8, this.number++, true);
    this.port.postMessage(this.frame, [this.frame]);
    this.begin();
  }
}

class Playback extends AudioWorkletProcessor { // a jitter buffer: an utterance begins 'buffer' seconds after it arrived
  constructor({processorOptions}) {
    super();
    this.buffer = processorOptions.buffer;
    this.resampler = new Resampler(${SOUND_RATE}, sampleRate);
    this.underruns = 0; this.lowest = null; this.flush();
    this.port.onmessage = ({data}) => this[data.kind](data.samples);
  }
  flush() { this.chunks = []; this.offset = this.length = 0; this.begins = null; this.starved = false; this.resampler.reset(); }
  play(samples) {
    if (this.starved) this.underruns++; // it ran dry, and that was not the end
    this.starved = this.ended = false;
    this.begins ??= currentTime + this.buffer;
    this.append(this.resampler.push(Float32Array.from(samples, value => value / 32768)));
  }
  end() { this.append(this.resampler.rest()); this.resampler.reset(); this.starved = false; this.ended = true; }
  append(samples) { if (samples.length) { this.chunks.push(samples); this.length += samples.length; } }
  process(_, [[out]]) {
    if (this.begins === null || currentTime < this.begins) return true;
    if (!this.ended) this.lowest = Math.min(this.lowest ?? Infinity, this.length / sampleRate);
    let filled = 0;
    while (filled < out.length && this.chunks.length) {
      const piece = this.chunks[0].subarray(this.offset, this.offset + out.length - filled);
      out.set(piece, filled); filled += piece.length; this.offset += piece.length;
      if (this.offset === this.chunks[0].length) { this.chunks.shift(); this.offset = 0; }
    }
    this.length -= filled;
    if (filled < out.length) { this.begins = null; this.starved = !this.ended; }
    return true;
  }
  tell() { this.port.postMessage({underruns: this.underruns, lowest: this.lowest}); }
}
registerProcessor("lkcook-capture", Capture);
registerProcessor("lkcook-playback", Playback);
`;

class BrowserSound {
  #send; #page = Math.random().toString(36).slice(2); #call = null; #terms = null;
  #open = new Map(); // side → {opened: a promise of {context, release}, abort: an AbortController}
  #playback = null; #socket = null; #reaching = null; #transport = null; #heard = {underruns: 0, lowest: null}; #levels = {in: 0, out: 0};

  /** send(message, buffers) takes a message of the widget to Python. */
  constructor(send) { this.#send = send; }

  /** Peaks, 0 to 1, of what the microphone hears now and of what the agent says. */
  get inputLevel() { return this.#open.has("microphone") ? this.#levels.in : 0; }
  get outputLevel() { return this.#open.has("speaker") ? this.#levels.out : 0; }

  /** Take any message of the widget from Python; those without a key `sound` are somebody else's. */
  async handle(message, buffers) {
    if (message?.sound === "ask") this.#tell("here", {call: message.call, origin: location.origin, ...this.#able()});
    else if (!message?.sound || (message.page && message.page !== this.#page)) return;
    else if (message.sound === "open") await this.#openSide(message);
    else if (message.sound === "close") await this.#closeSide(message.side);
    else if (this.#socket === null) this.#hear(message.sound, buffers?.[0]);
  }

  /** Release everything: the page is left, or the widget is gone. */
  async close() { await Promise.all([...this.#open.keys()].map(side => this.#closeSide(side))); }

  #able() { return {secure: isSecureContext && Boolean(navigator.mediaDevices) && typeof AudioWorkletNode === "function"}; }

  #tell(sound, more = {}, buffers) { this.#send({sound, call: this.#call, page: this.#page, ...more}, buffers); }

  async #openSide(terms) {
    const side = terms.side, abort = new AbortController();
    this.#call = terms.call; this.#terms = terms;
    const opened = side === "microphone" ? this.#openMicrophone(abort.signal) : this.#openSpeaker(abort.signal);
    this.#open.set(side, {opened, abort});
    try {
      const [{context}, transport] = await Promise.all([opened, (this.#reaching ??= this.#reach(terms))]);
      const latency = side === "speaker" ? this.#latency(context) : 0;
      if (!abort.signal.aborted) this.#tell("opened", {side, transport, rate: context.sampleRate, latency});
    } catch (error) {
      if (!abort.signal.aborted) this.#tell("failed", {side, error: error.name, message: error.message});
      await this.#closeSide(side);
    }
  }

  async #closeSide(side) {
    const half = this.#open.get(side);
    this.#open.delete(side);
    if (!this.#open.size) this.#hangUp();
    half?.abort.abort();
    await half?.opened.then(opened => opened.release(), () => {}); // what failed to open has told so itself
    this.#tell("closed", {side, underruns: this.#heard.underruns});
  }

  #hangUp() {
    const socket = this.#socket;
    this.#socket = this.#reaching = this.#transport = null;
    socket?.close();
  }

  async #openMicrophone(signal) {
    const sound = {echoCancellation: true, noiseSuppression: this.#terms.suppress, autoGainControl: true, channelCount: 1};
    const stream = await navigator.mediaDevices.getUserMedia({audio: sound});
    const stop = () => stream.getTracks().forEach(track => track.stop()); // the browser's recording sign goes out
    stream.getTracks()[0].onended = () => this.#tell("lost", {message: "it was unplugged, or its permission withdrawn"});
    try {
      const {context, source} = await this.#captured(stream, signal);
      const capture = new AudioWorkletNode(context, "lkcook-capture", {channelCount: 1, channelCountMode: "explicit"});
      capture.port.onmessage = ({data}) => this.#deliver(data);
      source.connect(capture).connect(context.destination); // silent; some browsers run only what leads there
      return {context, release: () => { capture.port.onmessage = null; stop(); return context.close(); }};
    } catch (error) {
      stop();
      throw error;
    }
  }

  /** Firefox joins a microphone only to a context of the microphone's own rate. */
  async #captured(stream, signal) {
    for (const options of [{sampleRate: SOUND_RATE}, {}]) {
      const context = await this.#context({...options, latencyHint: "interactive"}, signal);
      try {
        return {context, source: context.createMediaStreamSource(stream)};
      } catch (error) {
        await context.close();
        if (!options.sampleRate) throw error;
      }
    }
  }

  async #openSpeaker(signal) {
    const context = await this.#context({sampleRate: SOUND_RATE, latencyHint: "interactive"}, signal);
    const processorOptions = {buffer: this.#terms.buffer};
    const playback = new AudioWorkletNode(context, "lkcook-playback", {numberOfInputs: 0, outputChannelCount: [1], processorOptions});
    this.#heard = {underruns: 0, lowest: null};
    playback.connect(context.destination);
    playback.port.onmessage = ({data}) => {
      this.#heard = data;
      this.#tell("report", {...data, latency: this.#latency(context)});
    };
    const asking = setInterval(() => playback.port.postMessage({kind: "tell"}), 1000);
    this.#playback = playback.port;
    return {context, release: () => { clearInterval(asking); this.#playback = null; return context.close(); }};
  }

  /** A running context; a browser that waits for a click or a key is given one by whoever reads the page. */
  async #context(options, signal) {
    const context = new AudioContext(options);
    const module = URL.createObjectURL(new Blob([SOUND_WORKLETS], {type: "text/javascript"}));
    try {
      await context.audioWorklet.addModule(module);
      await Promise.race([context.resume(), new Promise(done => setTimeout(done, 500))]);
      if (context.state !== "running") await this.#stirred(context, signal);
      signal.throwIfAborted();
    } catch (error) {
      await context.close();
      throw error;
    } finally {
      URL.revokeObjectURL(module);
    }
    context.onstatechange = () => {
      if (context.state === "suspended" || context.state === "interrupted") this.#stirred(context, signal).catch(() => {});
    };
    return context;
  }

  /** Tell Python that the browser holds the sound back, and resume with the reader's next click or key. */
  async #stirred(context, signal) {
    this.#tell("blocked");
    const gestures = new AbortController();
    for (const gesture of ["click", "keydown"])
      document.addEventListener(gesture, () => context.resume(), {capture: true, signal: gestures.signal});
    try {
      await new Promise((done, failed) => {
        context.addEventListener("statechange", () => context.state === "running" && done(), {signal: gestures.signal});
        signal.addEventListener("abort", () => failed(signal.reason), {signal: gestures.signal});
      });
      this.#tell("resumed");
    } finally {
      gestures.abort();
    }
  }

  #latency(context) { return (context.baseLatency || 0) + (context.outputLatency || 0); } // seconds

  #deliver(frame) {
    const peak = new Int16Array(frame, 12).reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 32768;
    this.#levels.in = Math.max(peak, this.#levels.in * 0.8);
    if (this.#transport === "messages") this.#tell("microphone", {}, [frame]);
    else if (this.#socket?.readyState === WebSocket.OPEN && this.#socket.bufferedAmount < SOUND_UNSENT) this.#socket.send(frame);
  }

  #hear(kind, data) {
    let samples;
    if (kind === "play") {
      samples = new Int16Array(ArrayBuffer.isView(data) ? data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) : data);
      this.#levels.out = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 32768;
    } else if (kind !== "end" && kind !== "flush") return;
    else this.#levels.out = 0;
    this.#playback?.postMessage({kind, samples});
  }

  /** The shortest way to the kernel that works: "websocket", "proxy" or "messages". */
  async #reach({port, token, transports}) {
    for (const transport of transports) {
      const address = port ? this.#addresses(port, token)[transport] : null;
      if (!address) continue;
      const socket = await this.#tried(address);
      if (!socket) continue;
      socket.onmessage = ({data}) => typeof data === "string" ? this.#hear(JSON.parse(data).sound) : this.#hear("play", data);
      if (!this.#open.size) socket.close(); // everything was closed meanwhile
      else [this.#socket, this.#transport] = [socket, transport];
      return transport;
    }
    return (this.#transport = "messages");
  }

  #addresses(port, token) {
    const here = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
    const config = document.getElementById("jupyter-config-data")?.textContent;
    const base = new URL((config && JSON.parse(config).baseUrl) || "/", location.href);
    const proxy = `${base.href.replace(/^http/, "ws").replace(/\/?$/, "/")}proxy/${port}/${token}`;
    return {websocket: here ? `ws://127.0.0.1:${port}/${token}` : null, proxy: config ? proxy : null};
  }

  /** An open socket on which the kernel has spoken (a proxy opens one before it reaches the kernel), else null. */
  async #tried(address) {
    try {
      const socket = new WebSocket(address);
      socket.binaryType = "arraybuffer";
      const spoken = await new Promise(done => {
        socket.onmessage = () => done(true);
        socket.onclose = () => done(false);
        setTimeout(done, SOUND_PATIENCE, false);
      });
      if (spoken) return socket;
      socket.close();
    } catch (error) {
      console.warn("lkcook: no sound over", new URL(address).origin, error); // a page's policy may forbid it
    }
    return null;
  }
}
