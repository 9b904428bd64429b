-- auth: sign-ins with a second factor, and what a tenant wants of them (docs/sign-in.md).

-- A code of the second factor was shown in this browser.
ALTER TABLE auth.sign_in ADD COLUMN confirmed boolean NOT NULL DEFAULT false;

-- A tenant without a row has the defaults.
CREATE TABLE auth.sign_in_policy (
	tenant_id uuid PRIMARY KEY REFERENCES auth.tenant,
	second_factor text NOT NULL DEFAULT 'optional' CHECK (second_factor IN ('optional', 'required')),
	version bigint NOT NULL DEFAULT 2
);
CALL fabric.isolate('auth.sign_in_policy');

-- What a person who has shown the password still has to do.
CREATE FUNCTION auth.sign_in_needs(tenant uuid, person uuid) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE
		WHEN EXISTS (SELECT FROM auth.totp WHERE tenant_id = tenant AND user_id = person) THEN 'code'
		WHEN EXISTS (SELECT FROM auth.sign_in_policy WHERE tenant_id = tenant AND second_factor = 'required')
			THEN 'enrolment'
		ELSE ''
	END
$$;
