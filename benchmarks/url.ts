/**
How the origin answers.

- `fresh`: `max-age=3600` and an entity tag.
- `validate`: `max-age=0` and an entity tag, so every use is a validation.
- `slow`: as `fresh`, after 20 ms.
- `drip`: as `fresh`, the head at once and the rest after 20 ms.
- `unstorable`: `no-store`.
*/
export type Profile = 'fresh' | 'validate' | 'slow' | 'drip' | 'unstorable';

export type Resource = {
	readonly profile: Profile;
	readonly size: number;
	readonly id: number;
};

export const resourcePath = ({profile, size, id}: Resource): string => `/${profile}/${size}/${id}`;

export const parseResourcePath = (path: string): Resource => {
	const [, profile, size, id] = path.split('/', 4);
	return {profile: profile as Profile, size: Number(size), id: Number(id)};
};
