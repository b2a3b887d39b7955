// Forecasts of a series that are iterated: each is read as if it were the truth.
const singles = text => new Float32Array(bytes(text));
// A step takes numbers, of which so many are known, and forecasts the next one.
const persistence = (x, known) => x[known - 1];
const linear = packed => {
  const w = doubles(packed), width = w.length - 1;
  return (x, known) => {
    let next = w[width];
    for (let i = 0; i < width; i++) next += w[i] * x[known - width + i];
    return next;
  };
};
const perceptron = packed => {  // tanh behind every layer but the last
  const layers = [0, 2, 4].map(n => ['weight', 'bias'].map(name => singles(packed[`${n}.${name}`])));
  const linear = (x, from, [W, b]) => Float64Array.from(b, (sum, j) => {
    const columns = W.length / b.length;
    for (let i = 0; i < columns; i++) sum += W[j * columns + i] * x[from + i];
    return sum;
  });
  const width = layers[0][0].length / layers[0][1].length;
  return (x, known) => {
    const h = linear(x, known - width, layers[0]).map(Math.tanh);
    return linear(linear(h, 0, layers[1]).map(Math.tanh), 0, layers[2])[0];
  };
};
const iterate = (step, x, horizon) => {
  const found = Float64Array.from({ length: x.length + horizon }, (_, n) => x[n]);
  for (let n = x.length; n < found.length; n++) found[n] = step(found, n);
  return found.slice(x.length);
};
const figure = (root, { series, lines, network, first, origins, before, steps, plot, scores }) => {
  const find = name => root.querySelector(`.${name}`), onPlot = axes(plot), onScores = axes(scores);
  const z = singles(series), names = ['persistence', 'line', 'network'];
  const from = (step, origin) => iterate(step, z.slice(origin - first - before, origin - first + 1), steps);
  const made = {};  // a step, and its root mean squared errors over all origins
  const measured = (name, make) => {
    if (made[name]) return made[name];
    const step = make(), squares = Array(steps).fill(0);
    for (const origin of origins) {
      from(step, origin).forEach((v, h) => { squares[h] += (v - z[origin - first + 1 + h]) ** 2; });
    }
    return made[name] = { step, errors: squares.map(sum => Math.sqrt(sum / origins.length)) };
  };
  return ({ horizon, width, origin }) => {
    const all = [measured('persistence', () => persistence), measured(width, () => linear(lines[width])),
      measured('network', () => perceptron(network))];
    const forecasts = all.map(({ step }) => from(step, origin)), at = origin - first;
    const set = (name, d) => find(name).setAttribute('d', d), last = z[at];
    set('truth', line([...z.slice(at - before, at + steps + 1)].map((v, n) => onPlot(n - before, v))));
    const [left, right] = [0.5 - width, 0.5].map(x => round(onPlot(x, 0)[0])), [, top, , bottom] = plot.box;
    set('window', `M${left} ${top}V${bottom}H${right}V${top}z`);
    names.forEach((name, k) => {
      set(name, line([last, ...forecasts[k]].map((v, h) => onPlot(h, v))));
      set(`${name}-error`, line(all[k].errors.map((v, h) => onScores(h + 1, v))));
    });
    for (const [name, on, box] of [['ahead', onPlot, plot.box], ['asked', onScores, scores.box]]) {
      set(name, `M${round(on(horizon, 1)[0])} ${box[1]}V${box[3]}`);
    }
    const off = all.map(({ errors }) => errors[horizon - 1].toFixed(4));
    const said = forecasts.map(forecast => hundredths(forecast[horizon - 1]));
    return `${horizon} step${horizon > 1 ? 's' : ''} ahead, over ${origins.length} origins, persistence is off by ` +
      `${off[0]}, the line by ${off[1]}, the network by ${off[2]}. From origin ${origin} the truth there is ` +
      `${hundredths(z[at + horizon])}; they say ${said[0]}, ${said[1]} and ${said[2]}.`;
  };
};
