/**
 * Shapes in which secrets stand in configuration. None of these ever opened anything: passwords are made of words, the
 * rest is drawn from a seed, and what begins like a real key is put together here, so that no scanner takes this file
 * for a leak.
 */
export interface Shape {
  readonly what: string
  /** The text of a file that holds such a secret. */
  readonly text: string
  /** What must not be seen anywhere. Of several lines each. */
  readonly secrets: readonly string[]
}

type Side = 'server' | 'git'

interface Sources {
  /** A password as people think of them. */
  readonly word: string
  /** With blanks in it. */
  readonly phrase: string
  /** With what is a separator elsewhere. */
  readonly odd: string
  drawn(length: number, alphabet?: string): string
}

type Made = string | { readonly text: string; readonly secrets: readonly string[] }

const SMALL = 'abcdefghijklmnopqrstuvwxyz'
const DIGITS = '0123456789'
const HEX = `${DIGITS}abcdef`
const LETTERS = SMALL + SMALL.toUpperCase()
const WORD = LETTERS + DIGITS
const BASE64 = `${WORD}+/`
const CAPITALS = SMALL.toUpperCase() + DIGITS

/** Each takes a secret from its sources by `$word`, `$phrase` or `$odd`, or says itself what is secret. */
const SHAPES: Readonly<Record<string, (from: Sources) => Made>> = {
  // ---- names and values
  INI: ({ word }) => `[database]\nhost = db.example.org\npassword = ${word}\nport = 5432\n`,
  'INI with a blank in it': ({ phrase }) => `[database]\npassword = ${phrase}\nport = 5432\n`,
  'INI, commented out': ({ word }) => `[database]\n#password = ${word}\n;old_password = ${word}\n`,
  YAML: ({ word }) => `db:\n  user: app\n  password: ${word}\n`,
  'YAML in quotes': ({ odd }) => `db:\n  password: "${odd}"\n  user: app\n`,
  'YAML in a list': ({ word }) => `users:\n  - name: eve\n    password: ${word}\n`,
  'YAML in braces': ({ word }) => `db: {user: app, password: ${word}, port: 1}\n`,
  'YAML, a block': ({ phrase }) => `api_token: |\n  ${phrase}\nuser: app\n`,
  'YAML, folded': ({ phrase }) => `db_password: >-\n  ${phrase}\nuser: app\n`,
  'YAML, on the next line': ({ word }) => `password:\n  ${word}\nuser: app\n`,
  'YAML, below a name': ({ word }) => `secrets:\n  first: ${word}\n  second:\n    - ${word}\nuser: app\n`,
  'YAML of Kubernetes, name and value': ({ word }) =>
    `env:\n  - name: DB_PASSWORD\n    value: ${word}\n  - name: PORT\n    value: "80"\n`,
  'YAML, below a note': ({ word }) => `password: # of the database\n  ${word}\nuser: app\n`,
  'YAML with a tag': ({ word }) => `db:\n  password: !!str ${word}\n  token: !!str\n    ${word}\n`,
  'JSON, a value of its own': ({ word }) => `{\n  "password": {\n    "value": "${word}"\n  },\n  "port": 1\n}\n`,
  'JSON, a list': ({ word }) => `{\n  "passwords": [\n    "${word}",\n    "${word}"\n  ],\n  "port": 1\n}\n`,
  'behind a mark': ({ word }) => `password=‹redacted›${word}\nexec app --token=‹redacted›${word} --port 1\n`,
  JSON: ({ word }) => `{\n  "user": "app",\n  "password": "${word}",\n  "port": 1\n}\n`,
  'JSON on one line': ({ odd }) => `{"user": "app", "clientSecret": "${odd.replaceAll('"', '')}", "port": 1}\n`,
  'JSON in JSON': ({ word }) => `{"config": "{\\"user\\":\\"app\\",\\"password\\":\\"${word}\\"}"}\n`,
  'JSON, name and value': ({ word }) => `{"name": "API_TOKEN", "value": "${word}"}\n`,
  'JSON with an escaped quote': ({ word }) => `{"password": "a\\"${word}", "port": 1}\n`,
  TOML: ({ word }) => `[server]\nadmin_password = '${word}'\nport = 1\n`,
  'TOML of several lines': ({ phrase }) => `token = """\n${phrase}\n"""\nport = 1\n`,
  shell: ({ word }) => `export PGPASSWORD=${word}\nexec app\n`,
  'shell in quotes': ({ phrase }) => `DB_PASS="${phrase}" exec app\n`,
  'shell over two lines': ({ word }) => `API_TOKEN="${word}\\\n${word}x"\nexec app\n`,
  'shell, an option': ({ word }) => `exec app --verbose --password ${word} --port 1\n`,
  'shell, an option with =': ({ odd }) => `exec app --token=${odd.replace(/["' ]/g, '')} --port 1\n`,
  'shell, mysql -p': ({ word }) => `mysqldump -u root -p${word} --all-databases\n`,
  'shell, curl -u': ({ word }) => `curl -s -u admin:${word} http://127.0.0.1/\n`,
  'shell, curl -u without a blank': ({ word }) => `curl -s -uadmin:${word} http://127.0.0.1/\n`,
  'shell, added': ({ word }) => `PASSWORD+=${word}\nexec app\n`,
  'shell, sshpass': ({ word }) => `sshpass -p ${word} ssh root@10.0.0.1\n`,
  'shell, redis-cli -a': ({ word }) => `redis-cli -h 127.0.0.1 -a ${word} ping\n`,
  Dockerfile: ({ word }) => `FROM scratch\nENV APP_SECRET ${word}\nCMD app\n`,
  systemd: ({ phrase }) => `[Service]\nEnvironment="DB_PASSWORD=${phrase}" "PORT=1"\nExecStart=/usr/bin/app\n`,
  'XML element': ({ word }) => `<server>\n  <user>app</user>\n  <password>${word}</password>\n</server>\n`,
  'XML element of several lines': ({ phrase }) => `<server>\n  <password>\n    ${phrase}\n  </password>\n</server>\n`,
  'XML, CDATA': ({ odd }) => `<server>\n  <password><![CDATA[${odd}]]></password>\n</server>\n`,
  'XML attribute': ({ word }) => `<user name="app" password="${word}" port="1"/>\n`,
  'XML key and value': ({ word }) =>
    `<add key="DbPassword" value="${word}" />\n<property name="secret">${word}</property>\n`,
  properties: ({ word }) => `spring.datasource.username=app\nspring.datasource.password=${word}\n`,
  PHP: ({ odd }) => `define('DB_USER', 'app');\ndefine('DB_PASSWORD', '${odd.replaceAll("'", '')}');\n`,
  'PHP array': ({ word }) => `return ['user' => 'app', 'password' => '${word}', 'port' => 1];\n`,
  Ruby: ({ word }) => `config.secret_token = '${word}'\nuser :app, :password => "${word}"\n`,
  Python: ({ word }) => `DATABASES = {'default': {'USER': 'app', 'PASSWORD': '${word}'}}\n`,
  HCL: ({ word }) => `provider "x" {\n  access_key = "${word}"\n}\n`,
  'HCL variable': ({ word }) => `variable "db_password" {\n  type    = string\n  default = "${word}"\n}\n`,
  'nginx header': ({ word }) => `location / {\n  proxy_set_header X-Api-Key "${word}";\n}\n`,
  'camel case': ({ word }) => `smtpPassword: ${word}\nrootPw = ${word}\n`,
  salts: ({ phrase }) => `define('AUTH_SALT', '${phrase}');\n`,
  // ---- files that know secrets by their place
  netrc: ({ word }) => `machine example.org login app password ${word}\n`,
  'netrc over lines': ({ word }) => `machine example.org\n  login app\n  password ${word}\n`,
  pgpass: ({ odd }) => `db.example.org:5432:app:app:${odd}\n`,
  'shadow, SHA-512': ({ drawn }) =>
    place(`$6$${drawn(8)}$${drawn(86, `${WORD}./`)}`, (s) => `root:${s}:19700:0:99999:7:::\n`),
  'shadow, yescrypt': ({ drawn }) =>
    place(`$y$j9T$${drawn(22, `${WORD}./`)}$${drawn(43, `${WORD}./`)}`, (s) => `app:${s}:19700:0:99999:7:::\n`),
  'shadow, DES': ({ drawn }) => place(drawn(13, `${WORD}./`), (s) => `old:${s}:19700:0:99999:7:::\n`),
  'htpasswd, apr1': ({ drawn }) => place(`$apr1$${drawn(8)}$${drawn(22, `${WORD}./`)}`, (s) => `app:${s}\n`),
  'htpasswd, bcrypt': ({ drawn }) => place(`$2y$05$${drawn(53, `${WORD}./`)}`, (s) => `app:${s}\n`),
  'htpasswd, SHA': ({ drawn }) => place(`${drawn(27, BASE64)}=`, (s) => `app:{SHA}${s}\n`),
  'htpasswd, DES': ({ drawn }) => place(drawn(13, `${WORD}./`), (s) => `app:${s}\n`),
  htdigest: ({ drawn }) => place(drawn(32, HEX), (s) => `app:realm:${s}\n`),
  'LDAP, SSHA': ({ drawn }) => place(drawn(32, BASE64), (s) => `olcRootPW: {SSHA}${s}\n`),
  'LDIF in base64': ({ drawn }) => place(drawn(24, BASE64), (s) => `userPassword:: ${s}\n`),
  argon2: ({ drawn }) =>
    place(`${drawn(22, BASE64)}$${drawn(43, BASE64)}`, (s) => `hash = $argon2id$v=19$m=65536,t=3,p=4$${s}\n`),
  Dovecot: ({ word }) => `eve:{PLAIN}${word}:1000:1000::/home/eve\n`,
  'Postfix sasl_passwd': ({ word }) => `[smtp.example.org]:587 app@example.org:${word}\n`,
  Redis: ({ word }) => `bind 127.0.0.1\nrequirepass ${word}\n`,
  'Redis ACL': ({ word }) => `user app on >${word} ~* +@all\n`,
  WireGuard: ({ drawn }) =>
    place(`${drawn(43, BASE64)}=`, (s) => `[Interface]\nPrivateKey = ${s}\nListenPort = 51820\n`),
  wpa_supplicant: ({ phrase }) => `network={\n  ssid="home"\n  psk="${phrase}"\n}\n`,
  NetworkManager: ({ word }) => `[wifi-security]\nkey-mgmt=wpa-psk\npsk=${word}\n`,
  BIND: ({ drawn }) =>
    place(`${drawn(43, BASE64)}=`, (s) => `key "k" {\n  algorithm hmac-sha256;\n  secret "${s}";\n};\n`),
  'ipsec.secrets': ({ phrase }) => `10.0.0.1 10.0.0.2 : PSK "${phrase}"\n`,
  pppd: ({ word }) => `"app" * "${word}"\n`,
  snmpd: ({ word }) => `rocommunity ${word} default\ncreateUser app MD5 "${word}" DES\n`,
  Cisco: ({ word }) => `enable secret 0 ${word}\nusername app privilege 15 password 0 ${word}\n`,
  keepalived: ({ word }) => `authentication {\n  auth_type PASS\n  auth_pass ${word}\n}\n`,
  FreeRADIUS: ({ word }) => `client lan {\n  secret = ${word}\n}\nbob Cleartext-Password := "${word}"\n`,
  GRUB: ({ drawn }) =>
    place(drawn(128, `${DIGITS}ABCDEF`), (s) => `password_pbkdf2 root grub.pbkdf2.sha512.10000.${s}\n`),
  SQL: ({ word }) => `CREATE ROLE app LOGIN PASSWORD '${word}';\nCREATE USER a IDENTIFIED BY '${word}';\n`,
  rsyslog: ({ word }) => `action(type="ommysql" server="db" uid="app" pwd="${word}" db="log")\n`,
  kubeadm: ({ drawn }) =>
    place(`${drawn(16, SMALL + DIGITS)}`, (s) => `kubeadm join 10.0.0.1:6443 --token abcdef.${s}\n`),
  // ---- addresses and strings to connect with
  URL: ({ word }) => `url = https://app:${word}@example.org/path\n`,
  'URL with odd characters': ({ word }) => `url = amqp://app:${word}/x@y:z@example.org:5672/%2f\n`,
  'URL with a token as its user': ({ drawn }) => place(drawn(24), (s) => `url = https://${s}@example.org/x.git\n`),
  'URL of Oracle': ({ word }) => `url = jdbc:oracle:thin:app/${word}@db.example.org:1521/app\n`,
  DSN: ({ word }) => `DATABASE_URL=postgres://app:${word}@db:5432/app?sslmode=require\n`,
  libpq: ({ word }) => `conninfo = host=db user=app password=${word} dbname=app\n`,
  'connection string': ({ odd }) =>
    `cs = "Server=db;User Id=app;Password=${odd.replaceAll('"', '').replaceAll(' ', '')};Database=app"\n`,
  'query of an address': ({ word }) => `url = https://example.org/hook?id=1&access_token=${word}&x=2\n`,
  'Azure storage': ({ drawn }) =>
    place(`${drawn(86, BASE64)}==`, (s) => `c = AccountName=app;AccountKey=${s};EndpointSuffix=x\n`),
  'Azure SAS': ({ drawn }) => place(`${drawn(43)}%3D`, (s) => `u = https://a.example.org/?sv=2026&sig=${s}\n`),
  Sentry: ({ drawn }) => place(drawn(32, HEX), (s) => `dsn = https://${s}@sentry.example.org/1\n`),
  'Basic auth header': ({ drawn }) =>
    place(`${drawn(23, BASE64)}=`, (s) => `curl -H "Authorization: Basic ${s}" http://x/\n`),
  'Bearer header': ({ drawn }) => place(drawn(30, `${WORD}-._`), (s) => `header = "Bearer ${s}"\n`),
  cookie: ({ word }) => `curl -H 'Cookie: session=${word}' http://x/\n`,
  // ---- makes
  ...makes({
    'AWS access key': [['AK', 'IA'], 16, CAPITALS],
    'AWS session key': [['AS', 'IA'], 16, CAPITALS],
    GitHub: [['gh', 'p_'], 36],
    'GitHub, fine-grained': [['github_', 'pat_'], 59],
    GitLab: [['gl', 'pat-'], 20],
    'GitLab runner': [['gl', 'rt-'], 20],
    Slack: [['xo', 'xb-'], 40, `${WORD}-`],
    'Slack app': [['xa', 'pp-'], 40, `${WORD}-`],
    Stripe: [['sk_', 'live_'], 24],
    'Stripe webhook': [['wh', 'sec_'], 32],
    'Google API': [['AI', 'za'], 35, `${WORD}-_`],
    'Google OAuth': [['GOC', 'SPX-'], 28],
    'Azure AD': [['aB1', '8Q~'], 34],
    npm: [['np', 'm_'], 36],
    PyPI: [['py', 'pi-'], 80, `${WORD}-_`],
    age: [['AGE-SECRET-', 'KEY-1'], 58, CAPITALS],
    SendGrid: [['S', 'G.'], 66, `${WORD}-_`],
    'HashiCorp Vault': [['hv', 's.'], 24],
    DigitalOcean: [['dop_', 'v1_'], 64, HEX],
    'Hugging Face': [['h', 'f_'], 34, LETTERS],
    Grafana: [['gl', 'sa_'], 40, `${WORD}_`],
    Telegram: [['123456789', ':AA'], 33, `${WORD}-_`],
    Tailscale: [['ts', 'key-auth-'], 30],
    Docker: [['dckr_', 'pat_'], 27],
    OpenAI: [['s', 'k-'], 48],
  }),
  'AWS secret key': ({ drawn }) => place(drawn(40, BASE64), (s) => `[default]\naws_secret_access_key = ${s}\n`),
  'AWS secret key without a name': ({ drawn }) => place(drawn(40), (s) => `x ${s} y\n`),
  npmrc: ({ word }) => `//registry.example.org/:_authToken=${word}\n`,
  pip: ({ word }) => `index-url = https://app:${word}@pypi.example.org/simple\n`,
  'Docker config': ({ drawn }) => place(`${drawn(31, BASE64)}=`, (s) => `{"auths": {"x": {"auth": "${s}"}}}\n`),
  JWT: ({ drawn }) => {
    const parts = [`ey${'J'}${drawn(30)}`, drawn(60, `${WORD}-_`), drawn(43, `${WORD}-_`)]
    return { text: `x: ${parts.join('.')}\n`, secrets: parts }
  },
  'Slack webhook': ({ drawn }) =>
    place(
      `T${drawn(8, CAPITALS)}/B${drawn(8, CAPITALS)}/${drawn(24)}`,
      (s) => `url: https://hooks.slack.${'com'}/services/${s}\n`,
    ),
  'Discord webhook': ({ drawn }) =>
    place(drawn(68, `${WORD}-_`), (s) => `url: https://discord.${'com'}/api/webhooks/1234567890/${s}\n`),
  // ---- whole keys
  PEM: ({ drawn }) => key('RSA PRIVATE KEY', drawn, (lines) => `${lines.join('\n')}\n`),
  'PEM, encrypted': ({ drawn }) =>
    key('RSA PRIVATE KEY', drawn, ([first = '', ...lines]) =>
      [first, 'Proc-Type: 4,ENCRYPTED', `DEK-Info: AES-128-CBC,${'A'.repeat(32)}`, '', ...lines, ''].join('\n'),
    ),
  'PEM without its end': ({ drawn }) => key('EC PRIVATE KEY', drawn, (lines) => `${lines.slice(0, -1).join('\n')}\n`),
  'PEM without its beginning': ({ drawn }) => key('PRIVATE KEY', drawn, (lines) => `${lines.slice(1).join('\n')}\n`),
  'PEM without either': ({ drawn }) => key('PRIVATE KEY', drawn, (lines) => `${lines.slice(1, -1).join('\n')}\n`),
  'PEM in YAML': ({ drawn }) =>
    key('PRIVATE KEY', drawn, (lines) => `tls:\n  pem: |\n${lines.map((line) => `    ${line}\n`).join('')}  port: 1\n`),
  'PEM on one line': ({ drawn }) =>
    key('PRIVATE KEY', drawn, (lines) => `{"pem": "${lines.join('\\n')}\\n", "port": 1}\n`),
  'PEM in a program': ({ drawn }) =>
    key('PRIVATE KEY', drawn, (lines) => `const PEM =\n${lines.map((line) => `  "${line}\\n" +\n`).join('')}  ""\n`),
  'SSH key': ({ drawn }) => key('OPENSSH PRIVATE KEY', drawn, (lines) => `${lines.join('\n')}\n`),
  'PGP key': ({ drawn }) => key('PGP PRIVATE KEY BLOCK', drawn, (lines) => `${lines.join('\n')}\n`),
  PuTTY: ({ drawn }) => {
    const lines = [drawn(64, BASE64), drawn(64, BASE64), drawn(20, BASE64)]
    return {
      text: `PuTTY-User-Key-File-2: ssh-rsa\nPrivate-Lines: 3\n${lines.join('\n')}\nPrivate-MAC: ${drawn(40, HEX)}\n`,
      secrets: lines,
    }
  },
  vault: ({ drawn }) => {
    const lines = [drawn(80, HEX), drawn(80, HEX), drawn(14, HEX)]
    return {
      text: `x: !vault |\n  $ANSIBLE_${'VAULT'};1.1;AES256\n${lines.map((line) => `  ${line}\n`).join('')}port: 1\n`,
      secrets: lines,
    }
  },
  'base64 over lines': ({ drawn }) => {
    const lines = [drawn(76, BASE64), drawn(76, BASE64), drawn(11, WORD)]
    return { text: `data:\n  blob: |\n${lines.map((line) => `    ${line}\n`).join('')}`, secrets: lines }
  },
  hexadecimal: ({ drawn }) => place(drawn(64, HEX), (s) => `x ${s}\n`),
  'anything long': ({ drawn }) => place(drawn(32), (s) => `feature=${s}\n`),
}

/** Every shape, as a server has it and as Git has it: alike but for the secret. */
export const CANARIES: readonly { readonly what: string; readonly server: Shape; readonly git: Shape }[] =
  Object.entries(SHAPES).map(([what, make], number) => ({
    what,
    server: shapeOf(what, make, number, 'server'),
    git: shapeOf(what, make, number, 'git'),
  }))

function shapeOf(what: string, make: (from: Sources) => Made, number: number, side: Side): Shape {
  const word = `kestrel-${side}-${number}`
  const pieces = [`osprey!${side}${number}`, `heron-${side}-${number}`, `egret-${side}-${number}`]
  const odd = `${pieces[0]}#,${pieces[1]};&x=@${pieces[2]}`
  const phrase = [`falcon-${side}-${number}`, `over-${side}-${number}`].join(' ')
  const next = drawing(number * 2 + (side === 'git' ? 1 : 0) + 1)
  const made = make({
    word,
    phrase,
    odd,
    drawn: (length, alphabet = WORD) => Array.from({ length }, () => alphabet[next(alphabet.length)]).join(''),
  })
  if (typeof made !== 'string') return { what, ...made }
  const secrets = [word, ...phrase.split(' '), ...pieces].filter((one) => made.includes(one))
  return { what, text: made, secrets }
}

function place(secret: string, write: (secret: string) => string): Made {
  return { text: write(secret), secrets: [secret] }
}

function makes(
  list: Readonly<Record<string, readonly [beginning: readonly string[], length: number, alphabet?: string]>>,
) {
  return Object.fromEntries(
    Object.entries(list).map(([what, [beginning, length, alphabet]]) => [
      what,
      ({ drawn }: Sources): Made => {
        const rest = drawn(length, alphabet)
        return { text: `# of the cloud\nx ${beginning.join('')}${rest} y\n`, secrets: [rest] }
      },
    ]),
  )
}

function key(kind: string, drawn: Sources['drawn'], write: (lines: readonly string[]) => string): Made {
  const body = [drawn(64, BASE64), drawn(64, BASE64), drawn(64, BASE64), `${drawn(22, BASE64)}==`]
  const dashes = '-----'
  return { text: write([`${dashes}BEGIN ${kind}${dashes}`, ...body, `${dashes}END ${kind}${dashes}`]), secrets: body }
}

/** Numbers below a limit, the same at each run: mulberry32. */
function drawing(seed: number): (below: number) => number {
  let state = Math.imul(seed, 0x9e3779b1)
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}
