import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import {createCertificate} from './certificate.ts';
import {secondPortOffset} from './redis.ts';

type SecureRedis = {
	readonly certificateFile: string;
	/** The arguments of a Redis that speaks TLS on its second port. */
	readonly args: (port: number) => string[];
};

/** Writes a certificate for `localhost`, and its key, to a folder. */
export const writeCertificate = async (folder: string): Promise<SecureRedis> => {
	const {key, cert} = createCertificate();
	const [keyFile, certificateFile] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
	await Promise.all([writeFile(keyFile, key), writeFile(certificateFile, cert)]);

	return {
		certificateFile,
		args: port => [
			'--tls-port',
			String(port + secondPortOffset),
			'--tls-cert-file',
			certificateFile,
			'--tls-key-file',
			keyFile,
			'--tls-ca-cert-file',
			certificateFile,
			'--tls-auth-clients',
			'no',
		],
	};
};
