// An LSTM of one unit whose gates are set by hand: c_t = f c_{t-1} + i g, h_t = o tanh(c_t).
const lstmByHand = (g, i, f, o) => {
  let c = 0;
  return g.map((g_t, t) => {
    c = f[t] * c + i[t] * g_t;
    return [c, o[t] * Math.tanh(c)];
  });
};
const figure = (root, { g, plot }) => {
  const find = name => root.querySelector(`.${name}`), on = axes(plot), T = g.length;
  return settings => {
    const [i, f, o] = ['i', 'f', 'o'].map(gate => g.map((_, t) => settings[gate + (t + 1)]));
    const found = lstmByHand(g, i, f, o), [c, h] = found[T - 1];
    find('cell').setAttribute('d', line(found.map(([c], t) => on(t + 1, c))));
    find('shown').setAttribute('d', line(found.map(([, h], t) => on(t + 1, h))));
    const early = found.slice(0, -1).flatMap(([, h], t) => Math.abs(h) > 1e-9 ? [t + 1] : []);
    const kept = Math.abs(c - g[0]) < 1e-9, says = Math.abs(h) > 1e-9;
    let said = `<i>c</i><sub>${T}</sub> is ${hundredths(c)}, wanted ${hundredths(g[0])}. `;
    if (early.length) said += `<i>h</i> speaks too early, at step${early.length > 1 ? 's' : ''} ${early.join(', ')}. `;
    else if (!says) said += `<i>h</i> says nothing at step ${T}. `;
    if (kept && says && !early.length) said += 'Solved. Which boxes make no difference now?';
    return said.trim();
  };
};
