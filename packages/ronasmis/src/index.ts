export { writePhantomDataSet } from './data/phantom.ts';
export { UserError } from './errors.ts';
export { evaluateFolders } from './evaluation/evaluate.ts';
export { loadModel } from './inference/model.ts';
export { predict } from './inference/predict.ts';
export { resume, search } from './search/search.ts';
export { study } from './study/study.ts';
