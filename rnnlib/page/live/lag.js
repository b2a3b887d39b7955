// The gradient's length at lag 0, 1, ..., T - 1.
const gradientByLag = ({ layer, x, W_x, W_h, u, memory }, settings) => {
  const { gain, inputs, bias } = settings, step = steps[layer](settings);
  const W = W_h.map(part => doubles(part).map(v => v * gain)), u_ = doubles(u), walk = [];
  let state = Array.from({ length: layer === 'LSTM' ? 2 : 1 }, () => new Float64Array(u_.length));
  const parts = W_x.map(doubles);
  for (const x_t of x) {
    const a = parts.map((part, k) => times(x_t, part).map(v => inputs * v + (k === memory ? bias : 0)));
    let carry;
    [state, carry] = step(a, state, W);
    walk.push(carry);
  }
  let d = state.map((row, k) => k ? row.map(() => 0) : u_);
  const length = () => Math.hypot(...d.map(row => Math.hypot(...row)));
  const found = [length()];
  for (const carry of walk.slice(1).reverse()) {
    d = carry(d);
    found.push(length());
  }
  return found;
};
const figure = (root, { plot, ...data }) => {
  const find = name => root.querySelector(`.${name}`), on = axes(plot);
  return settings => {
    const g = gradientByLag(data, settings), last = g.length - 1;
    const factor = data.layer === 'RNN' ? settings.gain : sigmoid(settings.bias);
    find('length').setAttribute('d', line(g.map((v, n) => on(n, v))));
    find('power').setAttribute('d', line(g.map((_, n) => on(n, factor ** n))));
    return `At lag ${last} the gradient’s length is ${short(g[last])}. ` +
      `The power ${hundredths(factor)}<sup>${last}</sup> is ${short(factor ** last)}.`;
  };
};
