/** What a query cost, added up as it runs. */
export interface QueryStats {
  /** Rows of the parts that were looked into, once for each scan. */
  rowsScanned: number;
  /** Of the columns read, by their width before encoding. */
  bytesScanned: number;
  /** Parts that a scan passed over by their times or events. */
  blocksSkipped: number;
}

export function newStats(): QueryStats {
  return { rowsScanned: 0, bytesScanned: 0, blocksSkipped: 0 };
}
