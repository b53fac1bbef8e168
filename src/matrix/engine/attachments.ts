import { Attachment as WasmAttachment, EncryptedAttachment } from '@matrix-org/matrix-sdk-crypto-wasm';
import { toEngineError } from './wasm-errors.ts';

export { EncryptedAttachment };

/**
 * Encrypts and decrypts files. @throws EngineError `engine`, when what comes back is not what was encrypted
 */
export const Attachment = {
  encrypt(file: Uint8Array): EncryptedAttachment {
    try {
      return WasmAttachment.encrypt(file);
    } catch (error) {
      throw toEngineError(error);
    }
  },
  decrypt(attachment: EncryptedAttachment): Uint8Array {
    try {
      return WasmAttachment.decrypt(attachment);
    } catch (error) {
      throw toEngineError(error);
    }
  },
};
