using System.Runtime.InteropServices;

namespace Herd.LlamaCpp.Native;

/// <summary>
/// The part of llama.h and ggml.h (v0.5.0) that Herd calls. Names are those of the C API without the prefix.
/// </summary>
internal static unsafe partial class Llama
{
    private const string Library = NativeLibraries.Llama;
    private const string Ggml = NativeLibraries.Ggml;
    private const string GgmlBase = NativeLibraries.GgmlBase;

    [LibraryImport(Library, EntryPoint = "llama_version")]
    public static partial byte* Version();

    [LibraryImport(Library, EntryPoint = "llama_log_set")]
    public static partial void LogSet(delegate* unmanaged[Cdecl]<int, byte*, void*, void> callback, void* userData);

    [LibraryImport(Library, EntryPoint = "llama_backend_init")]
    public static partial void BackendInit();

    [LibraryImport(Library, EntryPoint = "llama_model_default_params")]
    public static partial ModelParams ModelDefaultParams();

    [LibraryImport(Library, EntryPoint = "llama_context_default_params")]
    public static partial ContextParams ContextDefaultParams();

    [LibraryImport(Library, EntryPoint = "llama_model_load_from_file", StringMarshalling = StringMarshalling.Utf8)]
    public static partial ModelHandle ModelLoadFromFile(string path, ModelParams options);

    [LibraryImport(Library, EntryPoint = "llama_max_devices")]
    public static partial nuint MaxDevices();

    [LibraryImport(Library, EntryPoint = "llama_model_free")]
    public static partial void ModelFree(nint model);

    [LibraryImport(Library, EntryPoint = "llama_init_from_model")]
    public static partial ContextHandle InitFromModel(ModelHandle model, ContextParams options);

    [LibraryImport(Library, EntryPoint = "llama_free")]
    public static partial void Free(nint context);

    [LibraryImport(Library, EntryPoint = "llama_n_ctx_seq")]
    public static partial uint CellsPerSequence(ContextHandle context);

    [LibraryImport(Library, EntryPoint = "llama_attach_threadpool")]
    public static partial void AttachThreadPool(ContextHandle context, ThreadPoolHandle decode, ThreadPoolHandle batch);

    [LibraryImport(Library, EntryPoint = "llama_get_memory")]
    public static partial nint GetMemory(ContextHandle context);

    [LibraryImport(Library, EntryPoint = "llama_memory_seq_rm")]
    [return: MarshalAs(UnmanagedType.U1)]
    public static partial bool MemorySequenceRemove(nint memory, int sequence, int from, int to);

    [LibraryImport(Library, EntryPoint = "llama_state_seq_get_size")]
    public static partial nuint StateSize(ContextHandle context, int sequence);

    [LibraryImport(Library, EntryPoint = "llama_state_seq_get_data")]
    public static partial nuint StateGet(ContextHandle context, byte* target, nuint size, int sequence);

    [LibraryImport(Library, EntryPoint = "llama_state_seq_set_data")]
    public static partial nuint StateSet(ContextHandle context, byte* source, nuint size, int sequence);

    [LibraryImport(Library, EntryPoint = "llama_decode")]
    public static partial int Decode(ContextHandle context, Batch batch);

    [LibraryImport(Library, EntryPoint = "llama_get_logits_ith")]
    public static partial float* GetLogits(ContextHandle context, int index);

    [LibraryImport(Library, EntryPoint = "llama_get_embeddings_seq")]
    public static partial float* GetSequenceEmbeddings(ContextHandle context, int sequence);

    [LibraryImport(Library, EntryPoint = "llama_pooling_type")]
    public static partial int PoolingType(ContextHandle context);

    [LibraryImport(Library, EntryPoint = "llama_model_n_embd_out")]
    public static partial int ModelEmbeddingLength(ModelHandle model);

    [LibraryImport(Library, EntryPoint = "llama_model_get_vocab")]
    public static partial nint ModelGetVocab(ModelHandle model);

    [LibraryImport(Library, EntryPoint = "llama_model_n_ctx_train")]
    public static partial int ModelContextLength(ModelHandle model);

    [LibraryImport(Library, EntryPoint = "llama_model_size")]
    public static partial ulong ModelSize(ModelHandle model);

    [LibraryImport(Library, EntryPoint = "llama_model_n_params")]
    public static partial ulong ModelParameters(ModelHandle model);

    [LibraryImport(Library, EntryPoint = "llama_model_has_decoder")]
    [return: MarshalAs(UnmanagedType.U1)]
    public static partial bool ModelHasDecoder(ModelHandle model);

    [LibraryImport(Library, EntryPoint = "llama_model_desc")]
    public static partial int ModelDescription(ModelHandle model, byte* buffer, nuint size);

    [LibraryImport(Library, EntryPoint = "llama_model_chat_template")]
    public static partial byte* ModelChatTemplate(ModelHandle model, byte* name);

    [LibraryImport(Library, EntryPoint = "llama_vocab_n_tokens")]
    public static partial int VocabCount(nint vocab);

    [LibraryImport(Library, EntryPoint = "llama_vocab_get_text")]
    public static partial byte* VocabText(nint vocab, int token);

    [LibraryImport(Library, EntryPoint = "llama_vocab_get_attr")]
    public static partial TokenAttributes VocabAttributes(nint vocab, int token);

    [LibraryImport(Library, EntryPoint = "llama_vocab_is_eog")]
    [return: MarshalAs(UnmanagedType.U1)]
    public static partial bool VocabIsEndOfGeneration(nint vocab, int token);

    [LibraryImport(Library, EntryPoint = "llama_vocab_bos")]
    public static partial int VocabBeginning(nint vocab);

    [LibraryImport(Library, EntryPoint = "llama_vocab_eos")]
    public static partial int VocabEnd(nint vocab);

    [LibraryImport(Library, EntryPoint = "llama_vocab_get_add_bos")]
    [return: MarshalAs(UnmanagedType.U1)]
    public static partial bool VocabAddsBeginning(nint vocab);

    [LibraryImport(Library, EntryPoint = "llama_tokenize")]
    public static partial int Tokenize(
        nint vocab,
        byte* text,
        int textLength,
        int* tokens,
        int capacity,
        [MarshalAs(UnmanagedType.U1)] bool addSpecial,
        [MarshalAs(UnmanagedType.U1)] bool parseSpecial);

    [LibraryImport(Library, EntryPoint = "llama_token_to_piece")]
    public static partial int TokenToPiece(
        nint vocab, int token, byte* buffer, int length, int leftStrip, [MarshalAs(UnmanagedType.U1)] bool special);

    [LibraryImport(Ggml, EntryPoint = "ggml_backend_load_all_from_path", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void BackendLoadAllFromPath(string directory);

    [LibraryImport(Ggml, EntryPoint = "ggml_backend_reg_by_name", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint BackendByName(string name);

    [LibraryImport(Ggml, EntryPoint = "ggml_backend_dev_count")]
    public static partial nuint DeviceCount();

    [LibraryImport(Ggml, EntryPoint = "ggml_backend_dev_get")]
    public static partial nint Device(nuint index);

    [LibraryImport(GgmlBase, EntryPoint = "ggml_backend_dev_type")]
    public static partial int DeviceType(nint device);

    [LibraryImport(GgmlBase, EntryPoint = "ggml_backend_dev_memory")]
    public static partial void DeviceMemory(nint device, out nuint free, out nuint total);

    [LibraryImport(
        GgmlBase, EntryPoint = "ggml_backend_reg_get_proc_address", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint BackendFunction(nint backend, string name);

    [LibraryImport(GgmlBase, EntryPoint = "ggml_threadpool_params_init")]
    public static partial void ThreadPoolParamsInit(ThreadPoolParams* options, int threads);
}
