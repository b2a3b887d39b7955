// A network whose every number is the reader's. The setting stands in the page's address.
const gates = { RNN: ['h'], LSTM: ['i', 'f', 'g', 'o'], GRU: ['r', 'z', 'n'] };
const between = { RNN: [], LSTM: [0, 1, 3], GRU: [0, 1] };  // those from 0 to 1
const T = 24, range = n => Array.from({ length: n }, (_, k) => k);
// `w` holds, gate by gate, a row of weights from x, one from each unit, and one of biases. Returned
// are each step's state, cell state and gates, and at lag 0, 1, ... the length of the gradient of
// unit 1's last state with respect to the state that many steps before.
const run = ({ layer, units, gain, x, w }) => {
  const step = steps[layer]({ kind: 'tanh' }), size = (units + 2) * units;
  const parts = gates[layer].map((_, k) => w.slice(k * size, (k + 1) * size));
  const W = parts.map(part => part.slice(units, -units).map(v => gain * v));
  const zeros = range(units).map(() => 0), one = zeros.map((_, j) => +!j), walk = [];
  const found = { h: [], c: [], gates: [], lag: [] };
  let state = layer === 'LSTM' ? [zeros, zeros] : [zeros], carry;
  for (const t of range(T)) {
    const a = parts.map(part => add(part.slice(0, units).map(v => (x[t] ?? 0) * v), part.slice(-units)));
    found.gates.push(between[layer].map(k => add(a[k], times(state[0], W[k])).map(sigmoid)));
    [state, carry] = step(a, state, W);
    walk.push(carry);
    found.h.push(state[0]);
    found.c.push(state[1] ?? []);
  }
  let d = state.map((_, k) => k ? zeros : one);
  for (const carry of walk.reverse()) {
    found.lag.push(Math.hypot(...d.map(row => Math.hypot(...row))));
    d = carry(d);
  }
  return found;
};
// A number as it is computed with: what is none is 0, and a thousand is enough.
const understood = text => {
  const v = +text.replace('−', '-');
  return isNaN(v) ? 0 : Math.min(Math.max(v, -1000), 1000);
};
// A setting as an address has it, and back; what is missing is the default.
const written = ({ layer, units, gain, x, w }) =>
  `layer=${layer}&units=${units}&gain=${gain}&x=${x.join(',')}&w=${w.join(',')}`;
const readBack = text => {
  const { layer, units, gain, x, w } = Object.fromEntries(text.split('&').map(part => part.split('=')));
  const numbers = (list, most) => (list ?? '').split(',').slice(0, most).map(understood);
  const found = { layer: Object.hasOwn(gates, layer) ? layer : 'RNN', units: units === '3' ? 3 : 2, gain: +(gain ?? 1) };
  const count = gates[found.layer].length * (found.units + 2) * found.units, given = numbers(w, count);
  return { ...found, x: numbers(x, T), w: range(count).map(k => given[k] ?? 0) };
};
const figure = (root, { state, lag, named, gateTop, gateHigh, legends }) => {
  const control = name => root.querySelector(`[name=${name}]`), find = name => root.querySelector(`.${name}`);
  const inBook = 'content_root' in document.documentElement.dataset;  // a notebook's address is its own
  const boxes = ({ layer, units }) => gates[layer].flatMap((_, k) =>
    ['x', ...range(units).map(j => `h${j + 1}`), 'b'].flatMap(row =>
      range(units).map(j => control(`w${k}${row}${j + 1}`))));
  const stops = control('gain').dataset.stops.split(' ');
  const fill = given => {
    control('layer').value = given.layer;
    control('units').value = given.units;
    const far = stops.map(stop => Math.abs(stop - given.gain));
    control('gain').value = far.indexOf(Math.min(...far));
    control('x').value = given.x.join(' ');
    boxes(given).forEach((box, k) => { box.value = given.w[k]; });
  };
  const read = () => {
    const found = { layer: control('layer').value, units: +control('units').value };
    const words = control('x').value.trim().split(/[\s,;]+/).slice(0, T), x = words.map(understood);
    const typed = [...words, ...boxes(found).map(box => box.value)];
    const changed = typed.filter(text => +text.replace('−', '-') !== understood(text)).slice(0, 5)
      .map(text => ` Read as ${minus(`${understood(text)}`)}: ${quoted(text)}.`).join('');
    while (x.length > 1 && !x[x.length - 1]) x.pop();
    return { ...found, gain: +stops[control('gain').value], x, w: boxes(found).map(box => understood(box.value)), changed };
  };
  const decoded = () => {
    try { return decodeURIComponent(location.hash.slice(1)); } catch { return ''; }
  };
  const slug = name => name.replaceAll(' ', '-');
  const go = hash => {
    const name = Object.keys(named).find(name => slug(name) === hash);
    if (name || hash.startsWith('layer=')) fill(readBack(name ? named[name] : hash));
    return !!name;
  };
  let chosen = control('named').value, begun = false;
  root.addEventListener('input', () => {
    if (control('named').value !== chosen) go(slug(control('named').value));
  });
  if (inBook) {
    go(decoded());
    addEventListener('hashchange', () => {
      go(decoded());
      chosen = control('named').value;  // whatever the list says, the address holds now
      root.dispatchEvent(new Event('input'));
    });
  }
  const onState = axes(state), onLag = axes(lag);
  return () => {
    const given = read(), { layer, units } = given, found = run(given), text = written(given);
    chosen = control('named').value = Object.keys(named).find(name => named[name] === text) ?? 'your own';
    for (const part of root.querySelectorAll('.third')) part.hidden = units < 3;
    range(4).forEach(k => {
      find(`gate${k}`).hidden = k >= gates[layer].length;
      find(`legend${k}`).textContent = legends[layer][k] ?? '';
    });
    const [x0, zero] = onState(1, 0), [x1] = onState(2, 0);
    find('inputs').setAttribute('d', given.x.map((v, t) =>
      `M${round(x0 + t * (x1 - x0))} ${round(zero)}V${round(onState(1, v)[1])}`).join(''));
    for (const j of range(3)) for (const kind of ['h', 'c']) {
      const on = j < units && (kind === 'h' || layer === 'LSTM');
      const points = found[kind].map((row, t) => onState(t + 1, row[j]));
      find(kind + (j + 1)).setAttribute('d', on ? line(points) : '');
    }
    for (const g of range(3)) for (const j of range(3)) {
      const on = g < between[layer].length && j < units;
      const base = gateTop + (g * units + j + 1) * gateHigh, wide = (x1 - x0) * 0.7;
      find(`gate-${g}${j}`).setAttribute('d', !on ? '' : found.gates.map((rows, t) =>
        `M${round(x0 + t * (x1 - x0) - wide / 2)} ${round(base)}v${round(-rows[g][j] * (gateHigh - 5))}` +
        `h${round(wide)}V${round(base)}`).join(''));
      find(`name-${g}${j}`).textContent = on ? `${gates[layer][between[layer][g]]}${j + 1}` : '';
      find(`name-${g}${j}`).setAttribute('y', round(base));
    }
    find('length').setAttribute('d', line(found.lag.map((v, n) => onLag(n, v))));
    // A browser may refuse, for a while, to write the address once more.
    const address = Object.hasOwn(named, chosen) ? slug(chosen) : text;
    try { if (inBook && begun) history.replaceState(null, '', `#${address}`); } catch { }
    begun = true;
    const rows = kind => [...found[kind][T - 1]].map(hundredths).join(', ');
    return `After ${T} steps <i>h</i> is (${rows('h')})` + (layer === 'LSTM' ? `, <i>c</i> is (${rows('c')})` : '') +
      `. At lag ${T - 1} the gradient’s length is ${short(found.lag[T - 1])}.${given.changed}`;
  };
};
