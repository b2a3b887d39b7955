// A small GRU reads what is typed, and says what may come next. Matrices are (from, to).
const network = ({ symbols, embedding, x, h, readout, bias }) => {
  const matrix = packed => unpack(packed).values, { columns: D, values: E } = unpack(embedding);
  const W_x = x.map(matrix), W_h = h.map(matrix), W = matrix(readout), b = matrix(bias), step = steps.GRU();
  return {
    known: [...symbols],
    zeros: new Float64Array(unpack(h[0]).columns),
    read: (state, k) => {
      const e = E.slice(k * D, (k + 1) * D);
      return step(W_x.map(W => times(e, W)), [state], W_h)[0][0];
    },
    scores: state => add(times(state, W), b),
  };
};
// For each character: what it is, its index or -1, the state and the scores after it.
const readText = ({ known, zeros, read, scores }, text) => {
  let state = zeros;
  return [...text].map(symbol => {
    const k = known.indexOf(symbol);
    if (k < 0) return { symbol, k };
    state = read(state, k);
    return { symbol, k, state, y: scores(state) };
  });
};
const figure = (root, { net, top, plot, bars: [left, first, high, wide], colours }) => {
  const all = name => [...root.querySelectorAll(`.${name}`)], [line] = all('unit'), [likely] = all('likely');
  const [cells, symbols, names, shares] = ['cell', 'symbol', 'name', 'share'].map(all);
  const model = network(net), on = axes(plot), input = root.querySelector('[name=text]');
  return ({ temperature, unit }) => {
    const read = readText(model, input.value), understood = read.filter(({ k }) => k >= 0);
    const seen = read.slice(-cells.length);
    line.setAttribute('d', seen.map(({ state }, t) => {
      if (!state) return '';
      const [x, y] = on(t + 1, state[unit - 1]);
      return `M${round(x)} ${round(on(1, 0)[1])}V${round(y)}`;
    }).join(''));
    cells.forEach((cell, t) => {
      const value = seen[t]?.state?.[unit - 1] ?? 0;
      cell.setAttribute('fill', colours[+(value < 0)]);
      cell.setAttribute('fill-opacity', Math.floor(50 * Math.abs(value) + 0.5) / 100);
      symbols[t].textContent = seen[t] ? shown(seen[t].symbol) : '';
    });
    const last = understood[understood.length - 1];
    const p = last ? softmax(last.y, temperature) : [];
    const order = [...p.keys()].sort((i, j) => p[j] - p[i] || i - j).slice(0, top);
    likely.setAttribute('d', order.map((i, n) =>
      `M${left} ${round(first + n * high)}h${round(p[i] * wide)}`).join(''));
    names.forEach((name, n) => { name.textContent = n in order ? shown(model.known[order[n]]) : ''; });
    shares.forEach((share, n) => { share.textContent = n in order ? percent(p[order[n]]) : ''; });
    const unknown = [...new Set(read.filter(({ k }) => k < 0).map(({ symbol }) => symbol))];
    const left_out = unknown.length ? ` Not read, since it was never learned: ${listed(unknown)}.` : '';
    if (!last) return `Nothing has been read.${left_out} Type a letter from a to z.`;
    let cost = 0;
    understood.slice(1).forEach(({ k }, t) => { cost -= Math.log2(softmax(understood[t].y, temperature)[k]); });
    const paid = understood.length < 2 ? '' :
      ` From the second character on, your text cost ${hundredths(cost / (understood.length - 1))} bits a character.`;
    return `After ${quoted(last.symbol)} the likeliest are ` +
      order.slice(0, 3).map(i => `${quoted(model.known[i])} (${percent(p[i])})`).join(', ') +
      `. Unit ${unit} is ${hundredths(last.state[unit - 1])}.${paid}${left_out}`;
  };
};
