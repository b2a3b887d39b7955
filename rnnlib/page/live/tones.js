// A number dialled in noise, and its spectrogram, as in rnnlib.data.tones.
const RATE = 8000, SIZE = 256, HOP = 80, KEYS = '123456789*0#';
const rows = [697, 770, 852, 941], columns = [1209, 1336, 1477], bins = [20, 52], power = 0.1;
// Numbers from 0 to 1, the same for the same seed everywhere (mulberry32).
const uniform = seed => () => {
  seed = (seed + 1831565813) | 0;
  let v = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  v = (v + Math.imul(v ^ (v >>> 7), 61 | v)) ^ v;
  return ((v ^ (v >>> 14)) >>> 0) / 2 ** 32;
};
const dial = (keys, snr, seed) => {
  const u = uniform(seed), detune = u(), wave = Array(Math.floor(RATE * (0.01 + 0.05 * u()))).fill(0);
  const spans = [...keys].map(key => {
    const held = Math.floor(RATE * (0.04 + 0.06 * u())), pause = Math.floor(RATE * (0.02 + 0.06 * u()));
    const share = 1 / (1 + 2.5 ** (2 * u() - 1)), at = KEYS.indexOf(key), begin = wave.length;
    const tones = [[rows[Math.floor(at / 3)], share], [columns[at % 3], 1 - share]].map(([tone, part]) =>
      [tone * (1 + 0.015 * (2 * detune - 1)), Math.sqrt(2 * power * part), u()]);
    for (let n = 0; n < held + pause; n++) {
      wave.push(n < held ? tones.reduce((sum, [tone, loud, phase]) =>
        sum + loud * Math.sin(2 * Math.PI * (tone * n / RATE + phase)), 0) : 0);
    }
    return [begin, begin + held];
  });
  for (let n = 0; n < SIZE; n++) wave.push(0);
  const noise = Math.sqrt(power / 10 ** (snr / 10));
  for (let n = 0; n < wave.length; n += 2) {  // two normal numbers from two others (Box and Muller)
    const r = noise * Math.sqrt(-2 * Math.log(1 - u())), angle = 2 * Math.PI * u();
    wave[n] += r * Math.cos(angle);
    if (n + 1 < wave.length) wave[n + 1] += r * Math.sin(angle);
  }
  return { wave, spans };
};
const turn = Array.from({ length: SIZE }, (_, n) => 2 * Math.PI * n / SIZE);
const [cosine, sine, hann] = [Math.cos, Math.sin, a => 0.5 - 0.5 * Math.cos(a)].map(f => turn.map(f));
const spectrogram = wave => {  // (T, 32)
  const found = [];
  for (let start = 0; start + SIZE <= wave.length; start += HOP) {
    const x = hann.map((w, n) => w * wave[start + n]), row = [];
    for (let k = bins[0]; k < bins[1]; k++) {
      let re = 0, im = 0;
      for (let n = 0; n < SIZE; n++) {
        re += x[n] * cosine[k * n % SIZE];
        im += x[n] * sine[k * n % SIZE];
      }
      row.push(Math.log(Math.hypot(re, im) + 0.1) - 1);
    }
    found.push(row);
  }
  return found;
};
