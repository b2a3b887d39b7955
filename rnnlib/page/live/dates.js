// Chapter 14's encoder and decoder with additive attention, on one source.
const gates = ({ columns, values }) => [0, 1, 2].map(k => {  // (3 H, D) as three of (D, H)
  const H = values.length / columns / 3;
  return Float64Array.from({ length: H * columns }, (_, i) =>
    values[(k * H + i % H) * columns + Math.floor(i / H)]);
});
const translator = ({ weights, source, target, start, end, steps: most }) => {
  const w = Object.fromEntries(Object.entries(weights).map(([name, given]) => [name, unpack(given)]));
  const embed = (name, i) => w[name].values.subarray(i * w[name].columns, (i + 1) * w[name].columns);
  const [forward, backward, decoder] = ['encoder.#_l0', 'encoder.#_l0_reverse', 'decoder.#_l0'].map(name =>
    ['weight_ih', 'weight_hh'].map(kind => gates(w[name.replace('#', kind)])));
  const step = steps.GRU();
  const read = (xs, [W_x, W_h], h) => xs.map(x => {
    [[h]] = step(W_x.map(W => times(x, W)), [h], W_h);
    return h;
  });
  const { values: v } = w['attention.v'], { values: b_y } = w['readout.bias'];
  return text => {
    const xs = [...text].map(c => embed('source_embedding.weight', source.indexOf(c)));
    const zero = new Float64Array(w['encoder.weight_hh_l0'].columns);
    const there = read(xs, forward, zero), back_ = read([...xs].reverse(), backward, zero).reverse();
    const h = there.map((row, j) => [...row, ...back_[j]]);
    const keys = h.map(row => times(row, w['attention.W_k'].values));
    let s = Float64Array.from([...there[there.length - 1], ...back_[0]]), z = start, symbols = '';
    const found = { weights: [], probability: 1 };
    while (z !== end && symbols.length < most) {
      [s] = read([embed('target_embedding.weight', z)], decoder, s);
      const q = times(s, w['attention.W_q'].values);
      const alpha = softmax(keys.map(key => add(key, q).reduce((e, a, i) => e + Math.tanh(a) * v[i], 0)));
      const c = h[0].map((_, i) => alpha.reduce((sum, a, j) => sum + a * h[j][i], 0));
      const y = softmax(add(back([...s, ...c], w['readout.weight'].values), b_y));
      z = y.indexOf(Math.max(...y));
      symbols += target[z];
      found.weights.push(alpha);
      found.probability *= y[z];
    }
    return { symbols, ...found };
  };
};
const sure = p => p > 0.995 ? 'above 0.99' : `of ${hundredths(p)}`;  // 1.00 would say too much
const figure = (root, { map, widest: [width, wide], colour, ...data }) => {
  const { left, top, high } = map;
  const find = name => root.querySelector(`.${name}`), translate = translator(data);
  const control = name => root.querySelector(`[name=${name}]`), slider = control('symbol');
  let typed, unknown, found;
  const read = () => {
    const text = control('text').value.trim();
    if (text === typed) return;
    typed = text;
    unknown = [...new Set(text)].filter(c => !data.source.includes(c));
    found = text && !unknown.length ? translate(text) : { symbols: '', weights: [] };
    slider.setAttribute('max', Math.max(found.symbols.length - 1, 0));
    slider.value = Math.min(slider.value, slider.max);
  };
  root.addEventListener('input', read);  // before the page reads where the slider stands
  read();
  return () => {
    const { symbols, weights, probability } = found, at = +slider.value, asked = symbols ? typed : '';
    const cell = Math.min(wide, width / Math.max(asked.length, 1));
    place(find('typed'), asked, j => left + (j + 0.5) * cell, () => top - 6);
    place(find('answer'), symbols, () => left - 12, t => top + (t + 0.78) * high);
    shades(root, { ...map, wide: cell })(weights);
    const alpha = weights[at];
    find('chosen').setAttribute('d', alpha ? `M${round(left - 22)} ${round(top + at * high)}` +
      `h${round(22 + asked.length * cell)}v${round(high)}h-${round(22 + asked.length * cell)}z` : '');
    find('shaded').innerHTML = !alpha ? escaped(typed) : [...asked].map((c, j) =>
      `<span style="background:color-mix(in srgb,${colour} ${round(70 * alpha[j])}%,transparent)">${c}</span>`).join('');
    if (unknown.length) return `No answer: the network has never read ${listed(unknown)}.`;
    if (!alpha) return 'Type a date.';
    const places = alpha.map((a, j) => [a, j]).sort(([a, i], [b, j]) => b - a || i - j).slice(0, 3);
    const looked = places.filter(([a], k) => !k || a >= 0.1)
      .map(([a, j]) => `${quoted(asked[j])} (place ${j + 1}, ${hundredths(a)})`);
    return `<b>${symbols.replace('$', '')}</b>, with a probability ${sure(probability)}. ` +
      `Writing symbol ${at + 1}, ${symbols[at] === '$' ? 'the end' : quoted(symbols[at])}, ` +
      `it looked most at ${looked.join(', ')}.`;
  };
};
