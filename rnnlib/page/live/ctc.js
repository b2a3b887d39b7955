// The lattice of CTC: what rnnlib's ctc_lattice computes, from log-probabilities (T, K).
const logAdd = (...v) => {
  const top = Math.max(...v);
  return top === -Infinity ? top : top + Math.log(v.reduce((sum, a) => sum + Math.exp(a - top), 0));
};
const lattice = (logY, z) => {
  const states = [0, ...z.flatMap(k => [k, 0])], T = logY.length, S = states.length, none = -Infinity;
  const leaps = s => states[s] !== undefined && states[s] !== states[s - 2];
  const alpha = [], beta = [];
  for (let t = 0; t < T; t++) {
    const from = alpha[t - 1];
    alpha.push(states.map((k, s) => logY[t][k] + (from ?
      logAdd(from[s], from[s - 1] ?? none, s > 1 && leaps(s) ? from[s - 2] : none) : s < 2 ? 0 : none)));
  }
  for (let t = T - 1; t >= 0; t--) {
    const to = beta[0]?.map((b, s) => b + logY[t + 1][states[s]]);
    beta.unshift(states.map((_, s) => to ?
      logAdd(to[s], to[s + 1] ?? none, leaps(s + 2) ? to[s + 2] : none) : s > S - 3 ? 0 : none));
  }
  const logP = logAdd(...alpha[T - 1].slice(-2));
  return { states, loss: -logP, gamma: alpha.map((row, t) => row.map((a, s) => Math.exp(a + beta[t][s] - logP))) };
};
const collapse = path => path.filter((k, t) => k && k !== path[t - 1]);
