// Whatever a node, or a peer through it, can make grow has a limit here.

/** Characters of one message: the node's largest answer is 4 MiB. */
export const kMaxMessageChars = 6 * 1024 * 1024;
/** Calls that wait for an answer; the page has about ten under way at most. */
export const kMaxPendingCalls = 64;
/** Characters of a text from the network (client names, reasons, causes). */
export const kMaxTextChars = 160;
/** Capabilities of a peer that are shown. */
export const kMaxCapabilities = 16;
/** Events in the log, and events asked for when the page joins. */
export const kMaxLogEntries = 500;
/** Reorganisations in the list; more are counted only. */
export const kMaxReorgs = 128;
/** Hashes kept at each end of a segment: what a replay shows. */
export const kMaxSegmentEnd = 12;
/** Heights of the fork tree below the head: the node publishes 64. */
export const kMaxTreeHeights = 72;
/** Blocks of the fork tree: the node publishes at most 1,024. */
export const kMaxTreeBlocks = 1200;
/** Branches drawn beside each other; blocks of more are counted. */
export const kMaxLanes = 12;
/** Rows of the peers table: the node has 50 by default. */
export const kMaxPeers = 200;
/** Reasons of refusal: the node has about thirty. */
export const kMaxRefusals = 40;
/** Data sets that are shown: the node publishes at most 256. */
export const kMaxDataSets = 48;
/** Chunks of one data set: das-lite's own limit. */
export const kMaxChunks = 4096;
