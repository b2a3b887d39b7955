// Chapter 16's listener hears what is dialled, and the lattice of CTC finds where its keys lie.
const listener = weights => {
  const W = Object.fromEntries(Object.entries(weights).map(([name, packed]) => [name, unpack(packed)]));
  const layers = [0, 1].map(n => [W[`context.convolutions.${n}.weight`], W[`context.convolutions.${n}.bias`]]);
  const near = (x, t, width) => {  // what a convolution sees at step t: (D, width), row by row
    const half = (width - 1) / 2;
    return x[0].flatMap((_, d) => Array.from({ length: width }, (_, k) => x[t + k - half]?.[d] ?? 0));
  };
  const linear = (row, W, b) => [...add(back(row, W.values), b.values)];
  return x => {  // log-probabilities (T, K)
    for (const [W, b] of layers) {
      const width = W.columns / x[0].length;
      x = x.map((_, t) => linear(near(x, t, width), W, b).map(v => Math.max(0, v)));
    }
    return x.map(row => {
      const y = linear(row, W['readout.weight'], W['readout.bias']), top = Math.max(...y);
      const sum = top + Math.log(y.reduce((sum, v) => sum + Math.exp(v - top), 0));
      return y.map(v => v - sum);
    });
  };
};
// All cells of a picture (T, rows) that are at least so dark, as lines from left to right.
const cells = (picture, least) => {
  let d = '';
  for (let r = 0; r < (picture[0]?.length ?? 0); r++) {
    for (let t = 0; t < picture.length; t++) {
      const begin = t;
      while (picture[t]?.[r] >= least) t++;
      if (t > begin) d += `M${begin} ${r}.5h${t - begin}`;
    }
  }
  return d;
};
// One listening device for the page: browsers allow a few, and forget none. It plays one wave at a time.
const play = wave => {
  const audio = document.audio ??= new AudioContext(), source = audio.createBufferSource();
  source.buffer = audio.createBuffer(1, wave.length, RATE);
  const loudest = wave.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  source.buffer.copyToChannel(Float32Array.from(wave, v => 0.8 * v / loudest), 0);
  source.connect(audio.destination);
  audio.playing?.stop();
  audio.playing = source;
  source.start();
};
const largest = row => row.indexOf(Math.max(...row));
const figure = (root, { net, most, loud, dark, sound, plot, grid, least }) => {
  const find = name => root.querySelector(`.${name}`), control = name => root.querySelector(`[name=${name}]`);
  const hear = listener(net), dialled = control('keys');
  let wave = [];
  root.addEventListener('click', ({ target: { dataset: { key, act } } }) => {
    if (act === 'play' && wave.length) play(wave);
    if (!key && act !== 'back') return;
    dialled.value = key ? dialled.value + key : dialled.value.slice(0, -1);
    root.dispatchEvent(new Event('input'));
  });
  const draw = (keys, asked, x, y, spans, { states, gamma }) => {
    const T = x.length || 1, S = Math.max(states.length, least), path = y.map(largest);
    const on = axes({ ...plot, x: [0, T] }), across = v => on(Math.min(Math.max(v, 0), T), 0)[0];
    const set = (name, d) => find(name).setAttribute('d', d);
    const turned = x.map(row => [...row].reverse());  // low tones below
    loud.forEach((level, n) => set(`loud${n}`, cells(turned, level)));
    dark.forEach((level, n) => set(`dark${n}`, cells(gamma, level)));
    find('sound').setAttribute('viewBox', `0 0 ${T} ${bins[1] - bins[0]}`);
    find('grid').setAttribute('viewBox', `0 0 ${T} ${S}`);
    // A frame stands where its middle is.
    const held = spans.map(span => span.map(n => across((n - SIZE / 2) / HOP + 0.5)));
    set('held', held.map(([a, b]) => `M${round(a)} ${sound[1] - 6}H${round(b)}`).join(''));
    place(find('sounding'), keys, k => (held[k][0] + held[k][1]) / 2, () => sound[1] - 12);
    const curve = k => line(y.map((row, t) => on(t + 0.5, row[k])));
    set('silence', curve(0));
    set('heard', [...KEYS].map((_, k) => y.some(row => row[k + 1] >= 0.02) ? curve(k + 1) : '').join(''));
    const said = path.flatMap((k, t) => k && k !== path[t - 1] ? [t] : []);
    place(find('read'), said.map(t => KEYS[path[t] - 1]).join(''), n => across(said[n] + 0.5), () => plot.box[1] - 5);
    const [left, top, , bottom] = grid, high = (bottom - top) / S;
    place(find('rows'), [...asked].map(key => `-${key}`).join('') + (asked && '-'), () => left - 12, s => top + (s + 0.5) * high + 4);
  };
  return ({ snr, seed, of }) => {
    const unread = new Set(), [keys, claim] = ['keys', 'claim'].map(name => {
      let kept = '';
      for (const key of control(name).value.replace(/\s/g, '')) {
        if (!KEYS.includes(key)) unread.add(quoted(key));
        else if (kept.length < most) kept += key;
        else unread.add(`all but the first ${most} keys`);
      }
      return kept;
    });
    const left = unread.size ? ` Left out: ${[...unread].join(', ')}.` : '';
    if (!keys) {
      wave = [];
      draw('', '', [], [], [], { states: [], gamma: [] });
      return `Nothing has been dialled. Type a number, or press its keys.${left}`;
    }
    const recording = dial(keys, snr, seed), x = spectrogram(wave = recording.wave), logY = hear(x);
    const y = logY.map(row => row.map(Math.exp)), number = text => lattice(logY, [...text].map(key => KEYS.indexOf(key) + 1));
    const right = number(keys), other = claim && number(claim), asked = claim && of === 'the claim' ? claim : keys;
    const shown = asked === keys ? right : other;
    draw(keys, asked, x, y, recording.spans, shown);
    const found = recording.spans.filter(([a, b], k) => {
      const at = HOP * largest(right.gamma.map(row => row[2 * k + 1]));
      return at < b && at + SIZE > a;
    }).length;
    const read = collapse(y.map(largest)).map(k => KEYS[k - 1]).join('');
    const costs = ({ loss }) => `${loss < 0.005 ? 'above 99\u00a0%' : percent(Math.exp(-loss))} (loss ${isFinite(loss) ? hundredths(loss) : '∞: too few steps'})`;
    const none = of === 'the claim' && !claim ? ' No claim: this is the lattice of the number.' : '';
    return `The best path reads ${read ? `<b>${read}</b>` : 'nothing'}. Probability of ${keys}: ${costs(right)}` +
      (claim && `; of the claim ${claim}: ${costs(other)}`) +
      `. In the lattice of ${keys}, ${found} of ${keys.length} key${keys.length > 1 ? 's lie' : ' lies'} where ${keys.length > 1 ? 'they' : 'it'} sounded.${none}${left}`;
  };
};
