// One unit, two weights: h_t = tanh(w h_{t-1} + b), h_0 = 1, E = (h_50 - 0.7)².
const lossAndGradient = (w, b, steps = 50) => {
  let h = 1, dw = 0, db = 0;
  for (let t = 0; t < steps; t++) {
    const before = h;
    h = Math.tanh(w * h + b);
    const slope = 1 - h * h;
    dw = slope * (before + w * dw);  // ∂h_t/∂w from ∂h_{t-1}/∂w
    db = slope * (1 + w * db);
  }
  const error = h - 0.7;
  return [error * error, 2 * error * dw, 2 * error * db];
};
// Loss, length of the gradient, and place, after 0, 1, ..., `updates` updates.
const descend = (rate, threshold, updates) => {
  const found = [];
  for (let n = 0, w = 2.5, b = 0.1; n <= updates; n++) {
    const [E, gw, gb] = lossAndGradient(w, b), norm = Math.hypot(gw, gb);
    found.push([E, norm, w, b]);
    const step = rate * Math.min(1, threshold / norm);
    w -= step * gw;
    b -= step * gb;
  }
  return found;
};
const figure = (root, { map, curve }) => {
  const find = name => root.querySelector(`.${name}`), onMap = axes(map), onCurve = axes(curve);
  return ({ rate, threshold, updates }) => {
    const found = descend(rate, threshold, updates);
    find('way').setAttribute('d', line(found.map(([, , w, b]) => onMap(b, w))));
    find('loss').setAttribute('d', line(found.map(([E], n) => onCurve(n, E))));
    find('length').setAttribute('d', line(found.map(([, norm], n) => onCurve(n, norm))));
    const [E, norm, w, b] = found[updates], [x, y] = onMap(b, w);
    find('here').setAttribute('cx', round(x));
    find('here').setAttribute('cy', round(y));
    const longest = found.reduce((most, [, norm]) => Math.max(most, norm), 0);
    const outside = b < map.x[0] || b > map.x[1] || w < map.y[0] || w > map.y[1];
    return `After ${updates} updates the loss is ${short(E)} and the gradient’s length ${short(norm)}, ` +
      `at w = ${hundredths(w)} and b = ${hundredths(b)}${outside ? ', outside the map' : ''}. ` +
      `The longest gradient so far: ${short(longest)}.`;
  };
};
