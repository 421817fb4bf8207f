import { normalize } from 'node:path';
import { ok, unknown, wrong } from './check.ts';
import type { Judged, Reading } from './check.ts';
import type { ContainerdConfig, ContainerdVersion } from './containerd-config.ts';
import type { CanaryFact, Expectations, LayersFact } from './facts.ts';

/** What is known beside the text of the configuration. */
export interface ConfigContext {
  readonly version: ContainerdVersion | undefined;
  readonly expected: Pick<Expectations, 'registryConfigPath'>;
  readonly canary: CanaryFact | undefined;
}

const elsewhere = 'run verify on the node itself, or say where the file is with --containerd-config-path';

/** Does containerd look for hosts.toml where they are? Behaviour is believed more than text: a canary that reached a mirror went that way. */
export function judgeConfigPath(config: Reading<ContainerdConfig>, context: ConfigContext): Judged {
  const { canary } = context;
  const isUsed = canary?.outcome === 'arrived' || canary?.outcome === 'elsewhere';
  if (config.type === 'failed') {
    return isUsed
      ? ok(
          `the canary came by way of hosts.toml; containerd's configuration itself could not be read (${config.reason})`,
        )
      : unknown(`containerd's configuration could not be read (${config.reason})`, elsewhere);
  }
  const text = judgePathText(config.value, context);
  if (text.status !== 'wrong' || !isUsed) return text;
  return unknown(
    `${text.seen}; yet the canary came by way of hosts.toml`,
    `the file is not the one that containerd runs with, or was changed since it started: ${elsewhere}; else ${text.mend ?? ''}`,
  );
}

function judgePathText(config: ContainerdConfig, { version, expected }: ConfigContext): Judged {
  const { configPath, inlineMirrors, pullsByTransfer } = config;
  const wanted = normalize(expected.registryConfigPath).replace(/\/$/, '');
  const mend = `set config_path = '${wanted}' in [plugins.'${pluginOf(version)}'.registry] of ${mainFile(config)}, and restart containerd`;
  if (configPath === '' && inlineMirrors.length > 0) {
    const names = inlineMirrors.join(', ');
    return wrong(
      `config_path is not set, and mirrors stand in the configuration itself (${names}): hosts.toml is not read`,
      `move them to hosts.toml files, then ${mend}`,
    );
  }
  if (configPath === '') return wrong('config_path is not set: containerd reads no hosts.toml', mend);
  const places = configPath.split(':').map((place) => normalize(place).replace(/\/$/, ''));
  if (places.length > 1 && pullsByTransfer) {
    return wrong(
      `config_path is a list, ${configPath}, which this containerd takes for one directory: no hosts.toml is ever read`,
      `${mend} (one directory, without a colon), or set use_local_image_pull = true beside it`,
    );
  }
  if (!places.includes(wanted))
    return wrong(`config_path is ${configPath}, and hosts.toml files are in ${wanted}`, mend);
  return ok(`config_path is ${configPath}${config.files.length === 0 ? ', as containerd says' : ''}`);
}

/** Do layers stay in the content store? What is gone after unpacking can be given to nobody. */
export function judgeLayers(
  config: Reading<ContainerdConfig>,
  layers: Reading<LayersFact>,
  { version, canary }: ConfigContext,
): Judged {
  const main = config.type === 'read' ? mainFile(config.value) : 'its config.toml';
  const table = `${pluginOf(version)}'${version?.major === 1 ? '.containerd' : ''}`;
  const mend = `set discard_unpacked_layers = false in [plugins.'${table}] of ${main}, restart containerd, and pull the images again`;
  const { kept, gone } = layers.type === 'read' ? layers.value : { kept: 0, gone: 0 };
  const keeps = canary?.keepsLayers;
  if (keeps === false) return wrong("layers do not stay: containerd let go of the canary's once it was unpacked", mend);
  if (config.type === 'failed') {
    if (keeps === true) return ok("layers stay after unpacking: the canary's did", goneLines(kept, gone));
    if (gone > 0 && kept === 0) return wrong(`layers do not stay: no image of ${gone} has its own any more`, mend);
    if (kept > 0 && gone === 0) return ok(`layers stay after unpacking: ${kept} of ${kept} images have theirs`);
    return unknown(`whether layers stay after unpacking could not be seen (${config.reason})`, elsewhere);
  }
  if (!config.value.discardsLayers) {
    const seen = keeps === true ? ", and the canary's layer stayed" : '';
    return ok(`discard_unpacked_layers is false${seen}`, goneLines(kept, gone));
  }
  if (keeps === undefined) {
    const seen = gone === 0 ? '' : `, and ${gone} of ${gone + kept} images have lost theirs`;
    return wrong(`discard_unpacked_layers is true: layers do not stay after unpacking${seen}`, mend);
  }
  return unknown(
    "discard_unpacked_layers is true, yet the canary's layer stayed",
    `the file is not the one that containerd runs with, or was changed since it started: ${elsewhere}; else ${mend}`,
  );
}

function goneLines(kept: number, gone: number): readonly string[] {
  if (gone === 0) return [];
  return [
    `${gone} of ${gone + kept} images have lost their layers before: pull them again if others are to get them from here`,
  ];
}

function pluginOf(version: ContainerdVersion | undefined): string {
  return version?.major === 1 ? 'io.containerd.grpc.v1.cri' : 'io.containerd.cri.v1.images';
}

function mainFile({ files: [main] }: ContainerdConfig): string {
  if (main === undefined) return 'its config.toml';
  // It is made at each start.
  return main.includes('/rancher/')
    ? `the template of ${main} (config-v3.toml.tmpl, for containerd 1.x config.toml.tmpl)`
    : main;
}
