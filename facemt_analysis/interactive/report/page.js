"use strict";
(() => {
  const clock = (s) => {
    if (s < 120) return s.toFixed(2) + " s";
    const h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60, r = (s % 60).toFixed(1);
    return (h ? h + ":" + String(m).padStart(2, "0") : m) + ":" + r.padStart(4, "0");
  };

  // ---- parts of one recording show one moment
  const listeners = new Map();
  const keyOf = (element) => element.closest("[data-recording]")?.dataset.recording ?? "";
  const listen = (element, show) => {
    const key = keyOf(element);
    listeners.set(key, [...(listeners.get(key) ?? []), show]);
  };
  const tell = (element, time) => (listeners.get(keyOf(element)) ?? []).forEach((f) => f(time));

  // ---- lines over time
  const numbers = (path) => {
    // "Mx,y x,y" pieces; filled ones begin and end on their base line
    const filled = path.dataset.filled === "1";
    const points = [];
    for (const piece of path.getAttribute("d").split("M").slice(1)) {
      const pairs = piece.split(" ").map((p) => p.split(",").map(Number));
      points.push(...(filled ? pairs.slice(1, -1) : pairs));
    }
    return points;
  };
  const nearest = (points, x) => {
    let low = 0, high = points.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (points[middle][0] <= x) low = middle; else high = middle;
    }
    if (high < 0) return null;
    const best = Math.abs(points[low][0] - x) <= Math.abs(points[high][0] - x) ? low : high;
    return points[best];
  };
  for (const svg of document.querySelectorAll("svg.curves")) {
    const d = svg.dataset;
    const [start, stop, left, right] = [d.start, d.stop, d.left, d.right].map(Number);
    const paths = [...svg.querySelectorAll("path")];
    const cursor = svg.querySelector(".cursor");
    const time = svg.querySelector("[data-clock]");
    let lines = null;
    const reach = () => {
      // neighbouring points of a thinned line lie this far apart at most, or there is a gap
      const steps = lines.flatMap((l) => l.slice(1).map((p, i) => p[0] - l[i][0])).filter((s) => s > 0);
      steps.sort((a, b) => a - b);
      return Math.max(2, 1.5 * (steps[steps.length >> 1] ?? 0));
    };
    let far = 0;
    const show = (t) => {
      if (lines === null) { lines = paths.map(numbers); far = reach(); }
      const x = left + (t - start) / Math.max(stop - start, 1e-9) * (right - left);
      const inside = x >= left - 1 && x <= right + 1;
      cursor.style.visibility = inside ? "visible" : "hidden";
      if (!inside) return;
      cursor.setAttribute("x1", x); cursor.setAttribute("x2", x);
      time.textContent = clock(t);
      paths.forEach((path, i) => {
        const text = path.nextElementSibling, p = path.dataset;
        const point = nearest(lines[i], x);
        const name = text.dataset.name ? text.dataset.name + " " : "";
        if (point === null || Math.abs(point[0] - x) > far) { text.textContent = name + "–"; return; }
        const part = (p.bottom - point[1]) / (p.bottom - p.top);
        const value = Number(p.low) + part * (p.high - p.low);
        const digits = p.high - p.low > 10 ? 0 : 2;
        const shown = value.toFixed(digits).replace(/^-(0(\.0+)?)$/, "$1").replace("-", "−");
        text.textContent = name + shown + text.dataset.unit;
      });
    };
    listen(svg, show);
    const follow = (event) => {
      const box = svg.getBoundingClientRect();
      const x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
      if (x < left || x > right) return;
      tell(svg, start + (x - left) / (right - left) * (stop - start));
    };
    svg.addEventListener("pointermove", follow);
    svg.addEventListener("pointerdown", follow);
  }
  for (const element of document.querySelectorAll("tr[data-time], figure[data-time]"))
    element.addEventListener("click", () => tell(element, Number(element.dataset.time)));

  // ---- tables
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => head.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((h) => h.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const value = (row) => {
        const cell = row.cells[column];
        if ("value" in cell.dataset) return Number(cell.dataset.value);
        return cell.classList.contains("number") ? NaN : cell.textContent;
      };
      const order = (a, b) => {
        const [x, y] = [value(a), value(b)];
        if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
        const way = typeof x === "string" ? x.localeCompare(y, undefined, {numeric: true}) : x - y;
        return up ? way : -way;
      };
      const body = table.tBodies[0];
      body.append(...[...body.rows].sort(order));
    }));
  }

  // ---- faces
  const model = JSON.parse(document.getElementById("model")?.textContent ?? "null");
  const decode = (text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    return new Int16Array(bytes.buffer);
  };
  for (const place of model ? document.querySelectorAll(".mesh") : []) {
    const canvas = place.querySelector("canvas"), pen = canvas.getContext("2d");
    const slider = place.querySelector("input[type=range]");
    const button = place.querySelector("button");
    const ghost = place.querySelector("input[type=checkbox]");
    const output = place.querySelector("output");
    const times = JSON.parse(place.dataset.times);
    const unit = Number(place.dataset.unit), most = Number(place.dataset.most);
    const all = decode(place.dataset.vertices), n = model.vertices, size = 3 * n;
    const rest = Float32Array.from(all.subarray(0, size), (v) => v * unit);
    let turn = -0.35, nod = 0.08, frame = 0, timer = null;
    const edge = Math.round(352 * Math.min(window.devicePixelRatio || 1, 2));
    canvas.width = canvas.height = edge;
    const vertices = (k) =>
      Float32Array.from(all.subarray((k + 1) * size, (k + 2) * size), (v) => v * unit);
    const turned = (points) => {
      const out = new Float32Array(size);
      const [ct, st, cn, sn] = [Math.cos(turn), Math.sin(turn), Math.cos(nod), Math.sin(nod)];
      for (let i = 0; i < size; i += 3) {
        const x = ct * points[i] + st * points[i + 2], z = -st * points[i] + ct * points[i + 2];
        out[i] = x;
        out[i + 1] = cn * points[i + 1] - sn * z;
        out[i + 2] = sn * points[i + 1] + cn * z;
      }
      return out;
    };
    const colours = [[227, 195, 174], [207, 141, 141], [136, 34, 85]];
    const colour = (part, light) => {
      const at = Math.min(part, 1) * 2, k = Math.min(Math.floor(at), 1), f = at - k;
      const mix = colours[k].map((c, i) => Math.round((c + f * (colours[k + 1][i] - c)) * light));
      return `rgb(${mix})`;
    };
    const zoom = edge * 0.36, px = (v) => edge / 2 + v * zoom, py = (v) => edge / 2 - v * zoom;
    const line = (p, ids) => {
      pen.beginPath();
      ids.forEach((v, i) => pen[i ? "lineTo" : "moveTo"](px(p[3 * v]), py(p[3 * v + 1])));
      pen.stroke();
    };
    const trace = (p, ids) => {
      pen.beginPath();
      ids.forEach((v, i) => pen[i ? "lineTo" : "moveTo"](px(p[3 * v]), py(p[3 * v + 1])));
      pen.closePath();
    };
    const fill = (p, ids, paint) => { trace(p, ids); pen.fillStyle = paint; pen.fill(); };
    // twice the area; positive if the outline is seen from the front
    const area = (p, ids) => ids.reduce((sum, v, i) => {
      const w = ids[(i + 1) % ids.length];
      return sum - p[3 * v] * p[3 * w + 1] + p[3 * w] * p[3 * v + 1];
    }, 0);
    // the skin of the mesh goes across eyes and mouth: paint them where they are open
    const openUp = (p) => {
      fill(p, model.mouth, "#5b2b2b");
      model.eyes.forEach((ids, i) => {
        if (area(p, ids) <= 0) return;
        pen.save();
        fill(p, ids, "#fbf7f2"); pen.clip();
        const rim = model.rims[i], mean = (k) => rim.reduce((s, v) => s + p[3 * v + k], 0) / rim.length;
        const [x, y] = [mean(0), mean(1)];
        const radius = (k, c) => Math.max(...rim.map((v) => Math.abs(p[3 * v + k] - c))) * zoom;
        pen.beginPath();
        pen.ellipse(px(x), py(y), radius(0, x), radius(1, y), 0, 0, 2 * Math.PI);
        pen.fillStyle = "#6b5a50"; pen.fill();
        pen.restore();
      });
    };
    const draw = () => {
      const now = vertices(frame), p = turned(now), faces = [];
      const far = new Float32Array(n);
      for (let v = 0; v < n; v++)
        far[v] = Math.hypot(now[3 * v] - rest[3 * v], now[3 * v + 1] - rest[3 * v + 1],
          now[3 * v + 2] - rest[3 * v + 2]) / most;
      for (const [a, b, c] of model.triangles) {
        const [ax, ay, az] = [p[3 * a], p[3 * a + 1], p[3 * a + 2]];
        const u = [p[3 * b] - ax, p[3 * b + 1] - ay, p[3 * b + 2] - az];
        const w = [p[3 * c] - ax, p[3 * c + 1] - ay, p[3 * c + 2] - az];
        const m = [u[1] * w[2] - u[2] * w[1], u[2] * w[0] - u[0] * w[2], u[0] * w[1] - u[1] * w[0]];
        if (m[2] <= 0) continue;
        const length = Math.hypot(...m) || 1;
        const light = 0.5 + 0.52 * Math.max(0, (0.25 * m[0] + 0.35 * m[1] + 0.9 * m[2]) / length);
        faces.push([az + p[3 * b + 2] + p[3 * c + 2], a, b, c, Math.min(light, 1.04)]);
      }
      faces.sort((x, y) => x[0] - y[0]);
      pen.clearRect(0, 0, edge, edge);
      pen.lineJoin = "round";
      pen.lineWidth = edge / 700;
      for (const [, a, b, c, light] of faces) {
        pen.fillStyle = pen.strokeStyle = colour((far[a] + far[b] + far[c]) / 3, light);
        pen.beginPath();
        pen.moveTo(px(p[3 * a]), py(p[3 * a + 1]));
        pen.lineTo(px(p[3 * b]), py(p[3 * b + 1]));
        pen.lineTo(px(p[3 * c]), py(p[3 * c + 1]));
        pen.closePath(); pen.fill(); pen.stroke();
      }
      openUp(p);
      if (ghost.checked) {
        const q = turned(rest);
        pen.strokeStyle = "rgba(0, 114, 178, .35)"; pen.lineWidth = edge / 900;
        for (const [a, b, c] of model.triangles) line(q, [a, b, c, a]);
      }
      pen.strokeStyle = "#4a3b34"; pen.lineWidth = edge / 220;
      for (const ids of model.lines) line(p, ids);
      output.textContent = clock(times[frame]);
      slider.value = frame;
    };
    const still = () => { clearInterval(timer); timer = null; button.textContent = "▶ play"; };
    const play = () => {
      if (timer !== null) return still();
      button.textContent = "❚❚ pause";
      timer = setInterval(() => { frame = (frame + 1) % times.length; draw(); }, 90);
    };
    listen(place, (t) => {
      if (timer !== null) return;
      let best = 0;
      times.forEach((s, i) => { if (Math.abs(s - t) < Math.abs(times[best] - t)) best = i; });
      if (best !== frame) { frame = best; draw(); }
    });
    slider.max = times.length - 1;
    slider.addEventListener("input", () => {
      still(); frame = Number(slider.value); draw(); tell(place, times[frame]);
    });
    button.addEventListener("click", play);
    ghost.addEventListener("change", draw);
    canvas.addEventListener("pointerdown", (e) => canvas.setPointerCapture(e.pointerId));
    canvas.addEventListener("pointermove", (e) => {
      if (!e.buttons) return;
      turn += e.movementX / 120;
      nod = Math.max(-1.2, Math.min(1.2, nod + e.movementY / 120));
      draw();
    });
    frame = Number(place.dataset.first);
    draw();
  }
})();
