import {Buffer} from 'node:buffer';
import {generateKeyPairSync, randomBytes, sign} from 'node:crypto';

const tags = {integer: 0x02, bitString: 0x03, octetString: 0x04, objectIdentifier: 0x06, utf8String: 0x0C, utcTime: 0x17, sequence: 0x30, set: 0x31};

/** One value in DER, ITU-T X.690: a tag, the length of the content, the content. */
const der = (tag: number, ...contents: ReadonlyArray<Uint8Array | string>): Uint8Array => {
	const content = Buffer.concat(contents.map(each => Buffer.from(each as string)));
	const {length} = content;
	const lengthBytes = length < 0x80 ? [length] : [0x82, length >> 8, length & 0xFF]; // eslint-disable-line no-bitwise

	return Buffer.concat([Buffer.from([tag, ...lengthBytes]), content]);
};

const sequence = (...contents: readonly Uint8Array[]) => der(tags.sequence, ...contents);

/** Its encoding, in hexadecimal. */
const objectIdentifier = (hex: string) => der(tags.objectIdentifier, Buffer.from(hex, 'hex'));

const utcTime = (timeMs: number) => der(tags.utcTime, `${new Date(timeMs).toISOString().replaceAll(/\D/gv, '').slice(2, 14)}Z`);

const dayMs = 24 * 60 * 60 * 1000;

export type TestCertificate = {readonly key: string; readonly cert: string};

const pem = (label: string, bytes: Uint8Array) => `-----BEGIN ${label}-----\n${Buffer.from(bytes).toString('base64')}\n-----END ${label}-----\n`;

type CertificateOptions = {
	/** Default: `localhost`. */
	readonly name?: string;
	/** When it expires, from now on. Default: a day. */
	readonly lifetimeMs?: number;
};

/** A key and a certificate that it signs itself, RFC 5280 §4.1, for its name and `127.0.0.1`: valid from two days ago. */
export const createCertificate = ({name = 'localhost', lifetimeMs = dayMs}: CertificateOptions = {}): TestCertificate => {
	const {privateKey, publicKey} = generateKeyPairSync('ec', {namedCurve: 'prime256v1'});
	const ecdsaWithSha256 = sequence(objectIdentifier('2a8648ce3d040302'));
	const commonName = sequence(der(tags.set, sequence(objectIdentifier('550403'), der(tags.utf8String, name))));
	const dnsName = der(0x82, name);
	const ipAddress = der(0x87, Uint8Array.of(127, 0, 0, 1));
	const subjectAltName = sequence(objectIdentifier('551d11'), der(tags.octetString, sequence(dnsName, ipAddress)));

	const toBeSigned = sequence(
		der(0xA0, der(tags.integer, Uint8Array.of(2))),
		der(tags.integer, Uint8Array.of(1), randomBytes(8)),
		ecdsaWithSha256,
		commonName,
		sequence(utcTime(Date.now() - (2 * dayMs)), utcTime(Date.now() + lifetimeMs)),
		commonName,
		publicKey.export({type: 'spki', format: 'der'}),
		der(0xA3, sequence(subjectAltName)),
	);
	const signature = sign('sha256', toBeSigned, privateKey);
	const certificate = sequence(toBeSigned, ecdsaWithSha256, der(tags.bitString, Uint8Array.of(0), signature));

	return {key: pem('PRIVATE KEY', privateKey.export({type: 'pkcs8', format: 'der'})), cert: pem('CERTIFICATE', certificate)};
};
