// A gradient that walks back through time. Rows are samples; matrices are (from, to), row by row.
const times = (row, W) => {  // row W
  const n = W.length / row.length, out = new Float64Array(n);
  row.forEach((v, i) => { for (let j = 0; j < n; j++) out[j] += v * W[i * n + j]; });
  return out;
};
const back = (row, W) => {  // row Wᵀ
  const n = row.length, out = new Float64Array(W.length / n);
  for (let k = 0; k < W.length; k++) out[Math.floor(k / n)] += row[k % n] * W[k];
  return out;
};
const each = (f, ...rows) => rows[0].map((_, j) => f(...rows.map(row => row[j])));
const add = (...rows) => each((...v) => v.reduce((a, b) => a + b), ...rows);
const sigmoid = a => 1 / (1 + Math.exp(-a));
const softmax = (y, temperature = 1) => {
  const top = Math.max(...y), e = y.map(v => Math.exp((v - top) / temperature)), sum = e.reduce((a, b) => a + b);
  return e.map(v => v / sum);
};
// A step takes the input's part of each gate and the state, a list of rows, and returns the new
// state, and what carries a gradient with respect to it back to the old one.
const steps = {
  RNN: ({ kind }) => ([a], [h], [W]) => {
    const f = kind === 'relu' ? v => Math.max(0, v) : Math.tanh;
    const slope = kind === 'relu' ? v => +(v > 0) : v => 1 - v * v;
    const next = each(f, add(a, times(h, W)));
    return [[next], ([d]) => [back(each((v, s) => v * slope(s), d, next), W)]];
  },
  LSTM: () => (a, [h, c], W) => {
    const [ai, af, ag, ao] = a.map((row, k) => add(row, times(h, W[k])));
    const i = ai.map(sigmoid), f = af.map(sigmoid), g = ag.map(Math.tanh), o = ao.map(sigmoid);
    const next = each((f, c, i, g) => f * c + i * g, f, c, i, g);
    return [[each((o, c) => o * Math.tanh(c), o, next), next], ([dh, dc]) => {
      dc = each((dc, dh, o, c) => dc + dh * o * (1 - Math.tanh(c) ** 2), dc, dh, o, next);
      const parts = [
        each((d, g, i) => d * g * i * (1 - i), dc, g, i),
        each((d, c, f) => d * c * f * (1 - f), dc, c, f),
        each((d, i, g) => d * i * (1 - g * g), dc, i, g),
        each((d, c, o) => d * Math.tanh(c) * o * (1 - o), dh, next, o),
      ];
      return [add(...parts.map((part, k) => back(part, W[k]))), each((d, f) => d * f, dc, f)];
    }];
  },
  GRU: () => ([ar, az, an], [h], [Wr, Wz, Wn]) => {
    const r = add(ar, times(h, Wr)).map(sigmoid), z = add(az, times(h, Wz)).map(sigmoid);
    const hn = times(h, Wn), n = each((a, r, b) => Math.tanh(a + r * b), an, r, hn);
    return [[each((z, n, h) => (1 - z) * n + z * h, z, n, h)], ([d]) => {
      const dn = each((d, z, n) => d * (1 - z) * (1 - n * n), d, z, n);
      return [add(
        each((d, z) => d * z, d, z),
        back(each((d, h, n, z) => d * (h - n) * z * (1 - z), d, h, n, z), Wz),
        back(each((d, b, r) => d * b * r * (1 - r), dn, hn, r), Wr),
        back(each((d, r) => d * r, dn, r), Wn),
      )];
    }];
  },
};
