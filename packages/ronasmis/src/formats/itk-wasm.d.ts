// What is used of the optional packages, so that this one compiles without them; what they return is checked where it is read.

declare module '@itk-wasm/image-io' {
  type Read = (file: string, options: { readonly informationOnly: boolean }) => Promise<{ readonly image?: unknown }>;
  export const nrrdReadImageNode: Read;
  export const metaReadImageNode: Read;
}

declare module '@itk-wasm/dicom' {
  export function readImageDicomFileSeriesNode(options: {
    readonly inputImages: readonly string[];
    readonly singleSortedSeries: boolean;
  }): Promise<{ readonly outputImage?: unknown }>;
}
