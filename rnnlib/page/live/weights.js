// Numbers that weights.py has packed: matrices row by row, in int8, with a scale for each row.
const bytes = text => Uint8Array.from(atob(text), character => character.charCodeAt(0)).buffer;
const doubles = text => new Float64Array(bytes(text));
const unpack = ({ scales, numbers }) => {
  const scale = new Float32Array(bytes(scales)), whole = new Int8Array(bytes(numbers));
  const columns = whole.length / scale.length;
  return { columns, values: Float64Array.from(whole, (v, k) => v * scale[Math.floor(k / columns)]) };
};
