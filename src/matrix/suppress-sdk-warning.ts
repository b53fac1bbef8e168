import util from 'node:util';

/**
 * A package below matrix-bot-sdk calls `util._extend` as it loads, at which Node warns everybody who starts
 * the bot. Import this before matrix-bot-sdk.
 */
Object.assign(util, { _extend: Object.assign });
