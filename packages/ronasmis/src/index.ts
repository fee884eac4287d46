export { writePhantomDataSet } from './data/phantom.ts';
export { UserError } from './errors.ts';
export { type Evaluation, evaluate } from './evaluation/evaluate.ts';
export { type ExportedNetwork, type ExportOptions, exportOnnx } from './export/export.ts';
export { loadModel, type Model } from './inference/model.ts';
export { type Prediction, type PredictOptions, predict } from './inference/predict.ts';
export type { Progress } from './run/records.ts';
export { resume, type SearchHooks, type SearchOptions, type SearchResult, search } from './search/search.ts';
export { type StudyHooks, type StudyOptions, study } from './study/study.ts';
