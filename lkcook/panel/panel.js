// The panel's front end. browser.js stands before this text and brings BrowserSound; together they are one module.
// Python sends the trait `state` (everything that is drawn) and, 25 times a second, {levels: [caller, cleaned, agent]};
// what is pressed goes back as {do: what, value}; the push-to-talk button as {do: "hold", value: down}.

const ICONS = { talk: "🎙 Talk", script: "▶ Play the script", stop: "■ Stop", mute: "Mute" };
const SIDES = { input: "Microphone", output: "Speaker" };
// cleaned: what the agent hears of the caller
const METERS = [["caller", "#1f8fd6"], ["cleaned", "#7cc0ea"], ["agent", "#2ca25f"]];
const QUIETEST = 60; // dB below full scale: the left end of a meter

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

class Meters {
  // Three bars on one canvas; between two messages they fall, so that they move as smoothly as the screen.
  constructor() {
    this.canvas = make("canvas", { class: "lkcook-meters", width: 320, height: 14 * METERS.length, role: "img" });
    this.canvas.setAttribute("aria-label", "levels from above: the caller, after noise cancellation, the agent");
    this.levels = METERS.map(() => 0);
    this.shown = METERS.map(() => 0);
    this.running = true;
    this.moves = -1; // drawings in which something moved
    this.paint(this.shown);
    requestAnimationFrame(() => this.draw());
  }

  take(levels) {
    this.levels = levels.map((peak) => Math.max(0, 1 + (20 * Math.log10(Math.max(peak, 1e-6))) / QUIETEST));
  }

  draw() {
    if (!this.running) return;
    const next = this.shown.map((value, i) => (this.levels[i] > value ? this.levels[i] : value * 0.88));
    if (next.some((value, i) => Math.abs(value - this.shown[i]) > 0.002)) this.paint(next);
    this.shown = next;
    requestAnimationFrame(() => this.draw());
  }

  paint(values) {
    const pen = this.canvas.getContext("2d");
    pen.clearRect(0, 0, 320, 14 * METERS.length);
    METERS.forEach(([, colour], i) => {
      pen.fillStyle = "rgba(128, 128, 128, 0.25)";
      pen.fillRect(0, 2 + 14 * i, 320, 10);
      pen.fillStyle = colour;
      pen.fillRect(0, 2 + 14 * i, 320 * values[i], 10);
    });
    this.moves += 1;
    this.canvas.dataset.moves = this.moves;
  }

  close() {
    this.running = false;
  }
}

class HoldButton {
  // Push-to-talk: down as long as the pointer, the space bar or Enter is, whatever takes them away.
  constructor(tell) {
    this.element = make("button", { class: "lkcook-hold", type: "button", "aria-pressed": false }, "🎤 Hold to talk");
    this.tell = tell;
    this.down = false;
    const down = () => this.move(true);
    const up = () => this.move(false);
    const key = (event, moved) => {
      if (event.key !== " " && event.key !== "Enter") return;
      event.preventDefault(); // neither a click nor a scrolled page
      if (!event.repeat) moved();
    };
    this.element.onpointerdown = (event) => {
      if (event.button !== 0) return;
      this.element.setPointerCapture(event.pointerId); // it may leave the button while it is down
      down();
    };
    for (const gone of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) {
      this.element.addEventListener(gone, up);
    }
    this.element.onkeydown = (event) => key(event, down);
    this.element.onkeyup = (event) => key(event, up);
    this.element.oncontextmenu = (event) => event.preventDefault(); // a long touch
    this.leave = up;
    window.addEventListener("blur", up);
    window.addEventListener("pagehide", up);
  }

  move(down) {
    if (down === this.down || (down && this.element.disabled)) return;
    this.down = down;
    this.tell(down);
  }

  show(button, possible) {
    this.element.hidden = button === null;
    this.element.disabled = !possible;
    this.element.setAttribute("aria-pressed", button === "held");
    if (!possible) this.down = false; // the call is over, which has let go
  }

  close() {
    this.move(false);
    window.removeEventListener("blur", this.leave);
    window.removeEventListener("pagehide", this.leave);
  }
}

class SoundControls {
  // What is done to the caller's sound: the noise mixed in, and the canceller that takes it out.
  constructor(press) {
    this.canceller = this.menu("canceller", "Noise cancellation", press);
    this.noise = this.menu("noise", "Kind of background noise", press);
    this.amount = make("input", { class: "lkcook-amount", type: "range", min: 0, "aria-label": "Loudness of the background noise" });
    this.amount.oninput = () => press("amount", Number(this.amount.value));
    this.loudness = make("output", { class: "lkcook-loudness" });
    const cancelling = make("label", {}, "Noise cancellation ", this.canceller);
    const mixing = make("label", {}, "Background noise ", this.noise);
    const loud = make("span", { class: "lkcook-loud" }, this.amount, this.loudness);
    this.element = make("div", { class: "lkcook-row lkcook-sound" }, cancelling, mixing, loud);
  }

  menu(what, title, press) {
    const menu = make("select", { class: `lkcook-${what}`, "aria-label": title, title });
    menu.onchange = () => press(what, menu.value);
    return menu;
  }

  show(sound, possible) {
    fill(this.canceller, sound.canceller, possible);
    fill(this.noise, sound.noise, possible);
    this.amount.max = sound.loudest;
    this.amount.disabled = !possible;
    if (document.activeElement !== this.amount) this.amount.value = sound.amount; // it would jump back under the hand
    this.amount.setAttribute("aria-valuetext", sound.loudness);
    this.loudness.textContent = sound.loudness;
  }
}

function fill(menu, [chosen, options], possible) {
  menu.disabled = !possible;
  const wanted = JSON.stringify(options);
  if (menu.dataset.options !== wanted) {
    menu.replaceChildren(...options.map(([value, label]) => make("option", { value }, label)));
    menu.dataset.options = wanted;
  }
  menu.value = chosen;
}

class PanelView {
  constructor(root, press) {
    this.press = press;
    this.buttons = Object.fromEntries(Object.entries(ICONS).map(([what, text]) => [what, this.button(what, text)]));
    this.menus = Object.fromEntries(Object.keys(SIDES).map((side) => [side, this.menu(side)]));
    this.hold = new HoldButton((down) => this.press("hold", down));
    this.sound = new SoundControls(this.press);
    this.meters = new Meters();
    this.state = make("span", { class: "lkcook-state", role: "status" });
    this.hint = make("div", { class: "lkcook-hint" });
    this.said = make("div", { class: "lkcook-said", "aria-live": "polite", role: "log", tabindex: 0 });
    this.bar = make("div", { class: "lkcook-bar" });
    this.legend = make("div", { class: "lkcook-legend" });
    this.tools = {
      tone: this.button("tone", "Test tone"),
      check: this.button("check", "Check level"),
      refresh: this.button("refresh", "↻"),
    };
    this.tools.refresh.title = "look for devices again";
    // JupyterLab would take Enter and Space on a button for commands of the notebook
    root.dataset.lmSuppressShortcuts = "true";
    root.classList.add("lkcook-panel");
    const { talk, script, stop, mute } = this.buttons;
    const { input, output } = this.menus;
    root.append(
      make("div", { class: "lkcook-row" }, talk, script, stop, mute, this.hold.element, this.state),
      make("div", { class: "lkcook-row" }, input, this.tools.check, output, this.tools.tone, this.tools.refresh),
      make("div", { class: "lkcook-row" }, this.levels(), this.hint),
      this.sound.element,
      this.said,
      this.bar,
      this.legend,
    );
  }

  levels() {
    const names = make("div", { class: "lkcook-names" }, ...METERS.map(([name]) => make("span", {}, name)));
    return make("div", { class: "lkcook-levels" }, names, this.meters.canvas);
  }

  button(what, text) {
    const button = make("button", { class: `lkcook-${what}`, type: "button" }, text);
    button.onclick = () => this.press(what, what === "mute" ? !this.muted : undefined);
    return button;
  }

  menu(side) {
    const menu = make("select", { class: `lkcook-${side}`, "aria-label": SIDES[side], title: SIDES[side] });
    menu.onchange = () => this.press(side, menu.value);
    return menu;
  }

  show(state) {
    this.muted = state.muted;
    for (const [what, button] of Object.entries(this.buttons)) button.disabled = !state.can[what];
    for (const tool of Object.values(this.tools)) tool.disabled = !state.can.check;
    this.hold.show(state.button, state.can.hold);
    this.buttons.mute.textContent = state.muted ? "Unmute" : "Mute";
    this.buttons.mute.setAttribute("aria-pressed", state.muted);
    for (const side of Object.keys(SIDES)) fill(this.menus[side], state.menus[side], state.can[side]);
    this.sound.show(state.sound, state.can.sound);
    this.hint.textContent = state.hint;
    this.state.textContent = state.state;
    this.transcript(state);
    this.latency(state.bar);
  }

  transcript(state) {
    const lines = state.said.map(([who, text, interrupted]) => this.line(who, text, interrupted ? "interrupted" : ""));
    if (state.interim) lines.push(this.line("caller", `${state.interim} …`, "interim"));
    lines.push(...state.notes.map((note) => make("div", { class: "lkcook-note" }, `⚠ ${note}`)));
    const wanted = JSON.stringify([state.said, state.interim, state.notes]);
    if (this.said.dataset.shown === wanted) return;
    this.said.dataset.shown = wanted;
    this.said.replaceChildren(...lines);
    this.said.scrollTop = this.said.scrollHeight;
  }

  line(who, text, kind) {
    const line = make("div", { class: `lkcook-line ${kind}` }, make("b", {}, who), ` ${text}`);
    if (kind === "interrupted") line.append(make("span", { title: "interrupted" }, " – interrupted"));
    return line;
  }

  latency(bar) {
    const total = bar.reduce((sum, [, ms]) => sum + ms, 0);
    const part = ([title, ms, colour]) =>
      make("span", { title: `${title}: ${Math.round(ms)} ms`, style: `flex: ${ms} 0 0; background: ${colour}` });
    this.bar.replaceChildren(...bar.map(part));
    const words = bar.map(([title, ms]) => `${title} ${Math.round(ms)}`).join(" · ");
    this.legend.textContent = total ? `last turn: ${Math.round(total)} ms after the last syllable — ${words}` : "";
  }

  close() {
    this.hold.close();
    this.meters.close();
  }
}

// The browser's own devices, before a call; during one they are BrowserSound's.
async function playTone() {
  const context = new AudioContext();
  const [tone, volume] = [context.createOscillator(), context.createGain()];
  volume.gain.value = 0.2;
  tone.connect(volume).connect(context.destination);
  tone.onended = () => context.close();
  tone.start();
  tone.stop(context.currentTime + 1);
}

async function level(seconds) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const context = new AudioContext();
  const ear = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(ear);
  const samples = new Float32Array(ear.fftSize);
  const powers = [];
  for (const end = performance.now() + 1000 * seconds; performance.now() < end; ) {
    ear.getFloatTimeDomainData(samples);
    powers.push(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
    await new Promise((next) => setTimeout(next, 20));
  }
  stream.getTracks().forEach((track) => track.stop());
  await context.close();
  const power = powers.reduce((sum, each) => sum + each, 0) / powers.length;
  return Math.max(-96, 10 * Math.log10(power + 1e-12)); // RMS in dBFS, as audio/device_check.py
}

function initialize({ model }) {
  // one for all views of this panel: sound must not be played twice
  const sound = new BrowserSound((message, buffers) => model.send(message, undefined, buffers));
  model.on("msg:custom", async (message, buffers) => {
    if (message.sound) sound.handle(message, buffers);
    else if (message.tone) playTone();
    else if (message.check) {
      try {
        model.send({ do: "heard", value: await level(2) });
      } catch (error) {
        model.send({ do: "refused", value: error.name });
      }
    }
  });
  return () => sound.close();
}

function render({ model, el }) {
  const view = new PanelView(el, (what, value) => model.send({ do: what, value }));
  const draw = () => view.show(model.get("state"));
  const move = (message) => message.levels && view.meters.take(message.levels);
  model.on("change:state", draw);
  model.on("msg:custom", move);
  draw();
  return () => {
    model.off("change:state", draw);
    model.off("msg:custom", move);
    view.close();
  };
}

export default { initialize, render };
