/**
 * Keeps a secret sealed at rest (AES-256-GCM), bound to the row it belongs to: a sealed value moved to
 * another row does not open.
 */
export interface Sealer {
  /** @param row what the secret belongs to, for example `lease:abc` */
  seal(row: string, secret: string): string;
  /** @throws MintwardenError `state` where the key is another one, or the value was changed or moved */
  open(row: string, sealed: string): string;
}
