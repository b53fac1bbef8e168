/** `require('request')` gives the function itself, as it did with the package of that name. */
export { sendRequest, sendRequest as 'module.exports' } from './send-request.ts';
