import { poisonBody } from '../../core/conformance/index.ts';
import type { Chunk, ContentStore } from '../../core/index.ts';
import { planted, plantInBodies, plantInPeers, plantInStore, subjects } from './testing/planted.ts';

// Each suite is run on a memory implementation with one bug in it, and must name the law that it breaks.

// Bodies, through both ports that give them.

plantInBodies('a chunk changes while it is lent', /a chunk stays as it is/, (body) => {
  let lent: Chunk | undefined;
  return {
    ...body,
    next: async () => {
      const step = await body.next();
      lent = step.value;
      void subjects.pause().then(() => lent instanceof Uint8Array && lent.fill(1));
      return step;
    },
  };
});
plantInBodies('the last chunk is lost', /gives exactly its bytes/, (body) => {
  let held: Promise<IteratorResult<Chunk, undefined>> | undefined;
  return {
    ...body,
    next: async () => {
      const step = await (held ?? body.next());
      if (step.done === true) return step;
      const copy = step.value instanceof Uint8Array ? Uint8Array.from(step.value) : step.value;
      held = body.next();
      return (await held).done === true ? { done: true, value: undefined } : { done: false, value: copy };
    },
  };
});
plantInBodies('return() lets nothing go', /return\(\) after 1 chunks/, (body) => ({
  next: () => body.next(),
  return: () => Promise.resolve({ done: true, value: undefined }),
}));
plantInBodies('return() waits for a read', /return\(\) after 0 chunks/, (body) => ({
  next: () => body.next(),
  return: () => new Promise(() => undefined),
}));
plantInBodies('failing is a clean end', /promised end|a connection that ends after 300000/, (body) => ({
  ...body,
  next: () => body.next().catch(() => ({ done: true as const, value: undefined })),
}));
plantInBodies('bytes come after the end was asked for', /return\(\) after 1 chunks/, (body) => {
  let last: IteratorResult<Chunk, undefined> = { done: true, value: undefined };
  return {
    ...body,
    next: async () => {
      last = await body.next().catch(() => last);
      return last;
    },
  };
});

// Stores.

planted('store: the end of a part is taken as included', /any part of a content/, (tools, hasBug) => {
  plantInStore(tools, hasBug, (store) => ({
    open: async (digest, start, end, signal) => {
      const size = (await store.info(digest, signal))?.sizeBytes ?? 0;
      return store.open(digest, start, Math.min(end + 1, size), signal);
    },
  }));
});
planted('store: a removed content is still known', /what comes and goes/, (tools, hasBug) => {
  plantInStore(tools, hasBug, (store) => {
    const known = new Map<string, Awaited<ReturnType<ContentStore['info']>>>();
    return {
      info: async (digest, signal) => {
        const info = (await store.info(digest, signal)) ?? known.get(digest);
        known.set(digest, info);
        return info;
      },
    };
  });
});
planted('store: removals are not said', /what comes and goes/, (tools, hasBug) => {
  plantInStore(tools, hasBug, (store) => ({
    watch: (listener) => store.watch((change) => (change.type === 'content-removed' ? undefined : listener(change))),
  }));
});
planted('store: a disposed watch goes on', /what comes and goes/, (tools, hasBug) => {
  plantInStore(tools, hasBug, (store) => ({
    watch: (listener) => {
      store.watch(listener);
      return () => undefined;
    },
  }));
});
planted('store: tags are not listed', /known by digest, size, name and tag/, (tools, hasBug) => {
  plantInStore(tools, hasBug, (store) => ({ list: async (signal) => ({ ...(await store.list(signal)), tags: [] }) }));
});
planted('store: absent content opens as empty', /an empty store has nothing/, (tools, hasBug) => {
  plantInStore(tools, hasBug, () => ({
    open: async () =>
      poisonBody({
        next: async () => ({ done: true, value: undefined }),
        return: async () => ({ done: true, value: undefined }),
      }),
  }));
});
planted(
  'store: an aborted signal is not looked at',
  /a signal that has aborted already calls nothing/,
  (tools, hasBug) => {
    plantInStore(tools, hasBug, (store) => ({ list: () => store.list(new AbortController().signal) }));
  },
);

// Peer clients.

planted(
  'peer client: a connection that ends is taken for a clean end of the head',
  /hangs up instead/,
  (tools, hasBug) => {
    plantInPeers(tools, hasBug, (client) => ({
      fetch: (...call) => client.fetch(...call).catch(() => ({ status: 502, headers: {} })),
    }));
  },
);
planted('peer client: aborting does not reach the exchange', /never answers: aborting/, (tools, hasBug) => {
  plantInPeers(tools, hasBug, (client) => ({
    fetch: (member, request) => client.fetch(member, request, new AbortController().signal),
  }));
});
planted('peer client: request headers are dropped', /arrives as it was given/, (tools, hasBug) => {
  plantInPeers(tools, hasBug, (client) => ({
    fetch: (member, request, signal) => client.fetch(member, { ...request, headers: {} }, signal),
  }));
});
planted('peer client: HEAD has a body', /the answer to HEAD/, (tools, hasBug) => {
  plantInPeers(tools, hasBug, (client) => ({
    fetch: (member, request, signal) => client.fetch(member, { ...request, method: 'GET' }, signal),
  }));
});
planted('peer client: refused and vanished look alike', /DIAL_REFUSED|DIAL_TIMEOUT/, (tools, hasBug) => {
  plantInPeers(tools, hasBug, (client) => ({
    fetch: async (...call) => {
      await client.fetch(...call).catch(() => undefined);
      return { status: 404, headers: {} };
    },
  }));
});
