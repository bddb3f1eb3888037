type Values = Uint8Array | Uint16Array | Uint32Array;

/** target[targets[i]] = source[places[i]] */
export function moveValues(source: Values, places: Uint16Array, target: Values, targets: Uint16Array): void {
  for (let i = 0; i < places.length; i++) target[targets[i]!] = source[places[i]!]!;
}
