/** What each folder of src may import besides itself; docs/architecture.md says why. `app` may import all. */
const MAY_IMPORT = {
  domain: [],
  words: ['domain'],
  ports: ['domain'],
  lifecycle: ['domain', 'words', 'ports'],
  bot: ['domain', 'words', 'ports', 'lifecycle'],
  gateway: ['domain', 'ports', 'lifecycle', 'net'],
  matrix: ['domain', 'ports', 'net'],
  issuers: ['domain', 'ports', 'net'],
  net: [],
  store: ['domain', 'ports'],
  telemetry: ['domain', 'ports'],
  config: ['domain'],
};

const directions = Object.entries(MAY_IMPORT).map(([folder, others]) => ({
  name: `${folder} imports ${[folder, ...others].join(', ')} only`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: '^src/', pathNot: `^src/(${[folder, ...others].join('|')})/` },
}));

export default {
  forbidden: [
    ...directions,
    {
      name: 'main.ts is imported by nobody',
      severity: 'error',
      from: {},
      to: { path: '^src/main\\.ts$' },
    },
    {
      name: 'only src/matrix imports the Matrix SDK and the encryption engine',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/matrix/' },
      to: { path: '(^|/)node_modules/(matrix-bot-sdk|@matrix-org|fake-indexeddb)/|^src/matrix/engine/' },
    },
    {
      name: 'the domain does no I/O',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: { dependencyTypesNot: ['local'], pathNot: '^(node:)?crypto$|node_modules/(zod|ipaddr\\.js)/' },
    },
    { name: 'no cycles between files', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no cycles between folders',
      severity: 'error',
      scope: 'folder',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
  },
};
