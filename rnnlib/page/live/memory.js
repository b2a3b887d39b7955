// A plain RNN and a network without memory, asked after each letter for the next one.
const expectations = (symbols, weights) => {
  const { a, W_hh, W_hy, b_y, none } = Object.fromEntries(
    Object.entries(weights).map(([name, text]) => [name, doubles(text)]));
  const V = symbols.length, H = a.length / V, step = steps.RNN({ kind: 'tanh' });
  const row = (rows, k) => rows.subarray(k * rows.length / V, (k + 1) * rows.length / V);
  return text => {
    let h = new Float64Array(H);
    const read = [...text].map(letter => symbols.indexOf(letter));
    return {
      memory: read.map(k => {
        [[h]] = step([row(a, k)], [h], [W_hh]);
        return [...softmax(add(times(h, W_hy), b_y))];
      }),
      none: read.map(k => [...softmax(row(none, k))]),
    };
  };
};
const figure = (root, { symbols, most, maps, titles, weights }) => {
  const expected = expectations(symbols, weights), typed = root.querySelector('[name=text]');
  const best = p => [...p.keys()].sort((i, j) => p[j] - p[i] || i - j).slice(0, 2)
    .map(k => `<b>${symbols[k]}</b> ${hundredths(p[k])}`).join(', ');
  return () => {
    const text = typed.value.toLowerCase().trim();
    const known = [...text].filter(letter => symbols.includes(letter)).join('');
    const said = expected(known), seen = known.slice(-most);
    for (const [name, map] of Object.entries(maps)) {
      const rows = said[name].slice(-most);
      shades(root, map)([...symbols].map((_, k) => rows.map(row => row[k])));
      place(root.querySelector(`.${name}`), seen, t => map.left + (t + 0.5) * map.wide, () => map.top - 7);
    }
    const others = known === text ? '' : `These networks know ${[...symbols].join(', ')}, and nothing else. `;
    if (!known) return others || 'Type a letter.';
    const [[a], [b]] = [said.memory, said.none].map(rows => rows.slice(-1));
    return `${others}After “${known === seen ? '' : '…'}<b>${seen}</b>”: ${titles.memory} ${best(a)}; ${titles.none} ${best(b)}.`;
  };
};
