import { Feed } from './rpc/feed';
import type { Link } from './rpc/client';
import { Model } from './model/model';
import { scheduler } from './ui/schedule';
import { startTheme } from './ui/theme';
import { FactsView } from './views/facts';
import { LinkView } from './views/link';
import { TreePanel } from './views/tree_panel';
import { ReorgsView } from './views/reorgs';
import { LogView } from './views/log';
import { PeersView } from './views/peers';
import { RefusalsView } from './views/refusals';
import { DataView } from './views/data';

function start(): void {
  startTheme();
  const model = new Model();
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const feed: Feed = new Feed(`${scheme}://${location.host}/`, model, {
    link: (state: Link) => link.show(state, model.summary),
    changed: () => drawSoon(),
  });
  const link = new LinkView(() => feed.retryNow());
  const tree = new TreePanel(model);
  const views = {
    summary: new FactsView(model),
    tree,
    reorgs: new ReorgsView(model, (id, trigger) => tree.replay(id, trigger)),
    log: new LogView(model, (id, trigger) => tree.replay(id, trigger)),
    peers: new PeersView(model),
    refusals: new RefusalsView(model),
    data: new DataView(model),
  };
  const drawSoon = scheduler(() => {
    const changed = [...model.changed];
    model.changed.clear();
    for (const part of changed) views[part].draw();
  });
  feed.start();
}

start();
