/** The answer to a request: the status code, the body as JSON, and header fields. */
export type Answer = readonly [statusCode: number, body: {readonly confirmed: boolean; readonly error?: string}, headers?: Readonly<Record<string, string>>];

export const refuse = (statusCode: number, error: string, headers?: Readonly<Record<string, string>>): Answer => [statusCode, {confirmed: false, error}, headers];

export const mostBodyBytes = 64 * 1024;

/** The connection is closed, since the rest of the body may still be on its way. */
export const tooLarge = refuse(413, `The body is larger than ${mostBodyBytes} bytes`, {connection: 'close'});
