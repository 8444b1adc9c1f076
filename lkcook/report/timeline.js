// The timeline in a notebook: a click plays the recording from there, a line follows it, pointing tells what is there.
// The drawing carries what this needs: each row its seconds and pixels, each mark and stretch its time and its title.
(() => {
  const svg = document.querySelector("svg");
  const audio = document.querySelector("audio"); // none when nothing was recorded
  const tip = document.getElementById("tip");
  const origin = Number(svg.dataset.start); // the call's second at which the recording begins
  const REACH = 6; // pixels beside a mark that still count as pointing at it

  const rows = [...svg.querySelectorAll(".row")].map((group) => {
    const [start, end, left, right, top, lane] = ["start", "end", "left", "right", "top", "lane"].map((name) =>
      Number(group.dataset[name]),
    );
    return { start, end, left, right, top, lane, group, head: group.querySelector(".playhead") };
  });

  const xOf = (row, second) => row.left + ((second - row.start) / (row.end - row.start)) * (row.right - row.left);

  // Our own tip instead of the browser's: at once, and for what is near. Without a script the titles stay.
  for (const title of svg.querySelectorAll("title")) {
    title.parentNode.dataset.tip = title.textContent;
    title.remove();
  }

  // Where a pointer is: {row, x, y} in the drawing's pixels, y from the top of the row; null outside of all rows.
  function place(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const row = rows.filter((each) => each.top <= point.y).pop();
    return row ? { row, x: point.x, y: point.y - row.top } : null;
  }

  function secondAt({ row, x }) {
    const share = (x - row.left) / (row.right - row.left);
    return row.start + Math.min(Math.max(share, 0), 1) * (row.end - row.start);
  }

  // What a pointer means: the nearest mark of its lane or line through all lanes, else what lasts there.
  function pointed({ row, x, y }) {
    if (x < row.left) return null;
    const lane = row.group.querySelectorAll(".lane")[Math.floor(y / row.lane)];
    if (!lane) return null;
    const marks = [...lane.querySelectorAll("[data-at]"), ...row.group.querySelectorAll(".moment")];
    const far = (mark) => Math.abs(xOf(row, Number(mark.dataset.at)) - x);
    const near = marks.filter((mark) => far(mark) <= REACH).sort((a, b) => far(a) - far(b))[0];
    const second = secondAt({ row, x });
    const lasts = (each) => Number(each.dataset.from) <= second && second <= Number(each.dataset.to);
    return near ?? [...lane.querySelectorAll("[data-from]")].filter(lasts).pop() ?? null;
  }

  function showTip(event) {
    const there = place(event);
    const name = event.target.closest(".name");
    const thing = name ?? (there && pointed(there));
    tip.hidden = !thing;
    if (!thing) return;
    tip.textContent = thing.dataset.tip;
    const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
    tip.style.left = `${Math.max(0, Math.min(event.pageX + 12, room))}px`;
    // below the pointer, except at the lower edge, which nothing may widen
    const below = event.pageY + 16 + tip.offsetHeight < document.documentElement.scrollHeight;
    tip.style.top = `${below ? event.pageY + 16 : event.pageY - tip.offsetHeight - 10}px`;
  }

  function showPlayhead() {
    const now = origin + audio.currentTime;
    const current = rows.find((row) => now < row.end) ?? rows[rows.length - 1];
    for (const row of rows) {
      row.head.setAttribute("visibility", row === current ? "visible" : "hidden");
    }
    const x = xOf(current, Math.min(now, current.end));
    current.head.setAttribute("x1", x);
    current.head.setAttribute("x2", x);
    if (!audio.paused) requestAnimationFrame(showPlayhead);
  }

  function seek(second) {
    audio.currentTime = Math.max(0, second - origin);
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? 5 : 1;
    const keys = {
      " ": () => (audio.paused ? audio.play() : audio.pause()),
      ArrowLeft: () => seek(origin + audio.currentTime - step),
      ArrowRight: () => seek(origin + audio.currentTime + step),
    };
    if (!keys[event.key]) return;
    event.preventDefault(); // else the page scrolls, and the player's own keys do it a second time
    keys[event.key]();
  }

  svg.addEventListener("pointermove", showTip);
  svg.addEventListener("pointerleave", () => (tip.hidden = true));
  if (audio) {
    svg.addEventListener("click", (event) => {
      const there = place(event);
      if (!there) return;
      seek(secondAt(there));
      audio.play();
    });
    document.addEventListener("keydown", onKey);
    for (const event of ["play", "seeked", "seeking", "pause"]) audio.addEventListener(event, showPlayhead);
  }

  // The theme is that of what surrounds the frame: JupyterLab's own word, else the first background painted there.
  // A frame that may not look outside keeps to prefers-color-scheme, on a background of its own (timeline.css).
  function surroundings() {
    const told = window.parent.document.body.dataset.jpThemeLight;
    if (told) return told === "true" ? "light" : "dark";
    for (let element = window.frameElement; element; element = element.parentElement) {
      const colour = element.ownerDocument.defaultView.getComputedStyle(element).backgroundColor;
      const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
      if (alpha > 0) return 0.3 * red + 0.59 * green + 0.11 * blue > 128 ? "light" : "dark";
    }
    return "light";
  }

  function fit() {
    window.frameElement.style.height = `${document.body.offsetHeight + 4}px`;
  }

  try {
    if (window.frameElement) {
      const follow = () => (document.documentElement.dataset.theme = surroundings());
      follow();
      new MutationObserver(follow).observe(window.parent.document.body, { attributes: true });
      fit();
      window.addEventListener("resize", fit);
    }
  } catch (error) {
    console.info("lkcook: the surroundings of this frame are not visible", error);
  }
})();
