/** The hub as options name it. */
import { Hub, hubOptionsFromEnvironment } from "../data/hub/hub.ts";
import { type Access, userAccess } from "./access.ts";

/** Options of the published programs that say how the hub is reached. */
export interface HubOptions {
  /** Where downloads are kept, in the place of HF_HUB_CACHE. */
  readonly cacheDir?: string;
  /** In the place of HF_TOKEN. */
  readonly hfToken?: string;
}

/** The user's hub and caches, but for what the options name. */
export function namedAccess({ cacheDir, hfToken }: HubOptions): Access {
  const access = userAccess();
  if (cacheDir === undefined && hfToken === undefined) return access;
  let hub: Hub | undefined;
  const given = { ...cacheDir && { cache: cacheDir }, ...hfToken && { token: hfToken } };
  return {
    ...access,
    hub: () => hub ??= new Hub({ ...hubOptionsFromEnvironment(), ...given }),
  };
}
