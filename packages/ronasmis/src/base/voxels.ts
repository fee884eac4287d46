/** The voxels of a volume in memory: 64-bit integers are held as float64 (exact up to 2^53). */
export type Voxels =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;
