/**
 * What a Vulkan loader sees, asked of the loader itself over FFI.
 *
 * Deno answers `null` for the rest of a process once `requestAdapter` has found nothing, so whether a
 * driver is there has to be known before the first request. Files in the standard folders do not
 * tell (a driver may be installed for a card that is not there); the loader does. It also knows the
 * driver's version, which WebGPU hides and a result has to name.
 */

/** A physical device as its driver describes it. */
export interface VulkanDevice {
  /** Device name; WebGPU shows the same text as `GPUAdapterInfo.description`. */
  readonly name: string;
  /** Driver and version, e.g. `llvmpipe Mesa 22.3.6 (LLVM 15.0.6)`; empty before Vulkan 1.2. */
  readonly driver: string;
}

const SYMBOLS = {
  vkCreateInstance: { parameters: ["buffer", "pointer", "buffer"], result: "i32" },
  vkDestroyInstance: { parameters: ["pointer", "pointer"], result: "void" },
  vkEnumeratePhysicalDevices: { parameters: ["pointer", "buffer", "buffer"], result: "i32" },
  vkGetPhysicalDeviceProperties2: { parameters: ["pointer", "buffer"], result: "void" },
} as const;

type Loader = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

// Numbers and byte offsets of vulkan_core.h, the same on every 64-bit platform.
const SUCCESS = 0;
const STRUCTURE_TYPE = {
  instanceCreateInfo: 1,
  properties2: 1000059001,
  driverProperties: 1000196000,
} as const;
const API_VERSION_1_2 = (1 << 22) | (2 << 12);
const APPLICATION_INFO = { bytes: 48, apiVersion: 44 } as const;
const INSTANCE_CREATE_INFO = { bytes: 64, applicationInfo: 24 } as const;
const DRIVER_PROPERTIES = { bytes: 536, name: 20, info: 276 } as const;
const PROPERTIES_2 = { bytes: 840, next: 8, deviceName: 36 } as const;
const NAME_BYTES = 256;

/**
 * Lists the physical devices that the Vulkan loader offers, in its order.
 *
 * @param path loader library, by default the system's; looked up like any shared library
 * @returns `undefined` when there is no such loader, an empty list when it finds no driver or device
 */
export function vulkanDevices(path = "libvulkan.so.1"): VulkanDevice[] | undefined {
  const library = openLoader(path);
  if (library === undefined) return undefined;
  try {
    return devicesOf(library.symbols);
  } finally {
    library.close();
  }
}

function openLoader(path: string) {
  try {
    return Deno.dlopen(path, SYMBOLS);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return undefined;
  }
}

function devicesOf(loader: Loader): VulkanDevice[] {
  const instance = createInstance(loader);
  if (instance === null) return [];
  try {
    return physicalDevices(loader, instance).map((device) => describe(loader, device));
  } finally {
    loader.vkDestroyInstance(instance, null);
  }
}

function createInstance(loader: Loader): Deno.PointerValue {
  const application = new DataView(new ArrayBuffer(APPLICATION_INFO.bytes));
  application.setUint32(APPLICATION_INFO.apiVersion, API_VERSION_1_2, true);
  const info = new DataView(new ArrayBuffer(INSTANCE_CREATE_INFO.bytes));
  info.setUint32(0, STRUCTURE_TYPE.instanceCreateInfo, true);
  info.setBigUint64(INSTANCE_CREATE_INFO.applicationInfo, addressOf(application), true);
  const instance = new BigUint64Array(1);
  if (loader.vkCreateInstance(info, null, instance) !== SUCCESS) return null;
  return Deno.UnsafePointer.create(instance[0]);
}

function physicalDevices(loader: Loader, instance: Deno.PointerValue): Deno.PointerValue[] {
  const count = new Uint32Array(1);
  if (loader.vkEnumeratePhysicalDevices(instance, count, null) !== SUCCESS) return [];
  const handles = new BigUint64Array(count[0]);
  if (loader.vkEnumeratePhysicalDevices(instance, count, handles) !== SUCCESS) return [];
  return [...handles].map((handle) => Deno.UnsafePointer.create(handle));
}

function describe(loader: Loader, device: Deno.PointerValue): VulkanDevice {
  const driver = new DataView(new ArrayBuffer(DRIVER_PROPERTIES.bytes));
  driver.setUint32(0, STRUCTURE_TYPE.driverProperties, true);
  const properties = new DataView(new ArrayBuffer(PROPERTIES_2.bytes));
  properties.setUint32(0, STRUCTURE_TYPE.properties2, true);
  properties.setBigUint64(PROPERTIES_2.next, addressOf(driver), true);
  loader.vkGetPhysicalDeviceProperties2(device, properties);
  const { name, info } = DRIVER_PROPERTIES;
  return {
    name: cString(properties, PROPERTIES_2.deviceName),
    driver: `${cString(driver, name)} ${cString(driver, info)}`.trim(),
  };
}

function addressOf(struct: DataView<ArrayBuffer>): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(struct));
}

function cString(struct: DataView<ArrayBuffer>, offset: number): string {
  const bytes = new Uint8Array(struct.buffer, offset, NAME_BYTES);
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}
