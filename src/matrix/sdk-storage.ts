import './suppress-sdk-warning.ts';
import { StoreType } from '@matrix-org/matrix-sdk-crypto-nodejs';
import {
  RustSdkCryptoStorageProvider,
  type ICryptoRoomInformation,
  type IFilterInfo,
  type IStorageProvider,
} from 'matrix-bot-sdk';
import type { PositionStore } from './options.ts';

/** matrix-bot-sdk's storage over our own store of the sync position; nothing else of it is used. */
export function sdkStorage(position: PositionStore): IStorageProvider {
  const values = new Map<string, string>();
  let filter: IFilterInfo | null = null;
  return {
    getSyncToken: () => position.load(),
    setSyncToken: async (token) => {
      if (token !== null) await position.save(token);
    },
    getFilter: () => filter as unknown as IFilterInfo,
    setFilter: (next) => {
      filter = next;
    },
    readValue: (key) => values.get(key) ?? null,
    storeValue: (key, value) => {
      values.set(key, value);
    },
  };
}

/**
 * matrix-bot-sdk takes no crypto store but its own class, which writes a JSON file without atomicity. This
 * one is its class by name and keeps in memory the two things that can be asked for again at every start.
 */
export class MemoryCryptoStorage extends RustSdkCryptoStorageProvider {
  readonly #deviceId: string;
  readonly #rooms = new Map<string, ICryptoRoomInformation>();

  constructor(storagePath: string, deviceId: string) {
    super(storagePath, StoreType.Sqlite);
    this.#deviceId = deviceId;
  }

  override async getDeviceId(): Promise<string> {
    return this.#deviceId;
  }

  override async setDeviceId(): Promise<void> {}

  override async getRoom(roomId: string): Promise<ICryptoRoomInformation> {
    return this.#rooms.get(roomId) as ICryptoRoomInformation;
  }

  override async storeRoom(roomId: string, config: ICryptoRoomInformation): Promise<void> {
    this.#rooms.set(roomId, config);
  }
}
