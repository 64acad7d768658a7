import numpy as np, mlx.core as mx, swift_f0
from safetensors.numpy import load_file
from mlx_swift_f0.network import Network
t=load_file("packages/mlx-swift-f0/src/mlx_swift_f0/weights/model.safetensors")
n=Network(); n.load_weights([(k,mx.array(v)) for k,v in t.items() if "banks" not in k])
a=(.2*np.sin(2*np.pi*np.cumsum(np.linspace(150,300,16000))/16000)+.01*np.random.default_rng(0).standard_normal(16000)).astype(np.float32)
T=len(a)//256; xs=[]
for i,N in enumerate((1024,2048,512)):
    p=np.pad(a,(N//2,N)); fr=np.stack([p[256*j:256*j+N] for j in range(T)])*np.sin(np.pi*np.arange(N)/N)**2
    f=np.zeros((N//2+1)*128); f[t[f"banks.{i}.places"]]=t[f"banks.{i}.values"]
    xs.append(np.log(abs(np.fft.rfft(fr))@f.reshape(-1,128)+1e-8))
s,v=n(mx.array(np.stack(xs,-1)[None].astype(np.float32))); s=np.array(s)[0].astype(float); c=1/(1+np.exp(-np.array(v)[0]))
g=np.pad(np.log(46.875)+np.arange(95)*np.log(2093.75/46.875)/94,1,mode="edge"); q=np.pad(s,((0,0),(1,1)),constant_values=-np.inf)
k=s.argmax(1)[:,None]+np.arange(3); w=np.take_along_axis(q,k,1); w=np.exp(w-w.max(1,keepdims=True)); f=np.exp((w/w.sum(1,keepdims=True)*g[k]).sum(1))
r=swift_f0.SwiftF0(threads=1).detect(a,16000)
print("cents",abs(1200*np.log2(f/r.pitch_hz)).max(),"conf",abs(c-r.confidence).max(),T,len(r.confidence))
