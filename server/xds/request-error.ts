/** The client broke the protocol, or cannot be served; its stream is ended with INVALID_ARGUMENT and the message. */
export class RequestError extends Error {}
