import { quoted } from '../base/json.ts';

/** What data sets say of themselves without a consequence for us; whatever else stands there may be meant to have one. */
const HARMLESS_KEYS = [
  ...['description', 'dataset_description', 'reference', 'licence', 'license', 'release', 'relase', 'version', 'date'],
  ...['citation', 'author', 'authors', 'contact', 'url', 'comment', 'comments', 'note', 'notes', '$schema'],
  ...['tensorImageSize', 'numTest', 'test', 'overwrite_image_reader_writer', 'regions_class_order', 'converted_by'],
];
/** Of a listed case. */
const ENTRY_KEYS = ['image', 'images', 'label'];
/** Normalisations that nnU-Net chooses by a channel's name, and that are not done here. */
const OTHER_NORMALISATIONS = ['nonorm', 'rescale_to_0_1', 'rgb_to_0_1'];

/** What a `dataset.json` may hold. */
interface Json {
  readonly training?: readonly object[] | undefined;
  readonly dataset?: Readonly<Record<string, object>> | undefined;
}

/**
 * What stands in a `dataset.json` and looks as if something followed from it, though nothing does: a sentence each, which does not name the file.
 * @param read the keys that are read
 */
export function remarksOn(json: Json, channels: readonly string[], read: readonly string[]): readonly string[] {
  const unknown = Object.keys(json).filter((key) => !read.includes(key) && !HARMLESS_KEYS.includes(key));
  const entries = json.dataset ? Object.values(json.dataset) : (json.training ?? []);
  const ofEntries = [...new Set(entries.flatMap(Object.keys))].filter((key) => !ENTRY_KEYS.includes(key));
  const otherwise = channels.filter((channel) => OTHER_NORMALISATIONS.includes(channel.toLowerCase()));
  const remarks: string[] = [];
  if (unknown.length > 0)
    remarks.push(`${listed(unknown)}: nothing follows from it here. Correct the name or remove it.`);
  if (ofEntries.length > 0)
    remarks.push(
      `${listed(ofEntries)} of the listed cases: nothing follows from it here. Remove it; --fold says who is tested.`,
    );
  if (json.dataset && json.training)
    remarks.push('"training" is passed over, for "dataset" lists the cases too. Keep one of the two.');
  if (otherwise.length > 0)
    remarks.push(
      `channels called ${otherwise.join(', ')} are z-scored here as others are. Call them by what they show.`,
    );
  return remarks;
}

const listed = (keys: readonly string[]): string => quoted(keys.map((key) => `"${key}"`).join(', '));
